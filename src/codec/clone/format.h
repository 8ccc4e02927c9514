/* The constants of V8's serialization format: versions, tags and flags. */
#ifndef CP_CLONE_FORMAT_H
#define CP_CLONE_FORMAT_H

enum {
  CP_CLONE_VERSION_TAG = 0xFF,
  CP_CLONE_VERSION = 15,
  CP_CLONE_OLDEST_VERSION = 13,
  CP_CLONE_VERSION_OF_VIEW_FLAGS = 14,
};

/* The first byte of each value. The comments name the bytes that follow the tag. */
typedef enum cp_clone_tag {
  CP_CLONE_TAG_PADDING = '\0', /* before a tag: the mark, see clone.h */
  CP_CLONE_TAG_OBJECT_COUNT = '?',
  CP_CLONE_TAG_HOLE = '-',
  CP_CLONE_TAG_UNDEFINED = '_',
  CP_CLONE_TAG_NULL = '0',
  CP_CLONE_TAG_TRUE = 'T',
  CP_CLONE_TAG_FALSE = 'F',
  CP_CLONE_TAG_INT32 = 'I', /* a varint with the sign in its lowest bit */
  CP_CLONE_TAG_UINT32 = 'U',
  CP_CLONE_TAG_DOUBLE = 'N', /* eight bytes in the machine's order */
  CP_CLONE_TAG_BIGINT = 'Z', /* a varint: sign in the lowest bit, above it a length; the bytes */
  CP_CLONE_TAG_UTF8 = 'S',   /* this and the next two: a length in bytes, and the bytes */
  CP_CLONE_TAG_ONE_BYTE = '"',
  CP_CLONE_TAG_TWO_BYTE = 'c',
  CP_CLONE_TAG_REFERENCE = '^',  /* the id of an earlier object */
  CP_CLONE_TAG_OBJECT = 'o',     /* properties: names and values */
  CP_CLONE_TAG_OBJECT_END = '{', /* the number of properties */
  CP_CLONE_TAG_SPARSE = 'a',     /* a length; properties: indices or names, and values */
  CP_CLONE_TAG_SPARSE_END = '@', /* the number of properties, and the length again */
  CP_CLONE_TAG_DENSE = 'A',      /* a length; elements; properties */
  CP_CLONE_TAG_DENSE_END = '$',  /* as SPARSE_END */
  CP_CLONE_TAG_DATE = 'D',
  CP_CLONE_TAG_TRUE_OBJECT = 'y',
  CP_CLONE_TAG_FALSE_OBJECT = 'x',
  CP_CLONE_TAG_NUMBER_OBJECT = 'n',
  CP_CLONE_TAG_BIGINT_OBJECT = 'z',
  CP_CLONE_TAG_STRING_OBJECT = 's',
  CP_CLONE_TAG_REGEXP = 'R', /* the source, a string; the flags, a varint */
  CP_CLONE_TAG_MAP = ';',
  CP_CLONE_TAG_MAP_END = ':', /* the number of keys and values */
  CP_CLONE_TAG_SET = '\'',
  CP_CLONE_TAG_SET_END = ',',
  CP_CLONE_TAG_ARRAY_BUFFER = 'B',
  CP_CLONE_TAG_RESIZABLE_BUFFER = '~',
  CP_CLONE_TAG_VIEW = 'V',         /* after an ArrayBuffer, which it replaces as the value */
  CP_CLONE_TAG_HOST_OBJECT = '\\', /* written by Node: see below */
  CP_CLONE_TAG_ERROR = 'r',
} cp_clone_tag;

/* The first number of a host object. */
enum { CP_CLONE_HOST_VIEW = 0, CP_CLONE_HOST_OTHER = 1 };

/* The parts of an Error. The kind comes first; a plain Error has none. */
typedef enum cp_clone_error_tag {
  CP_CLONE_ERROR_EVAL = 'E',
  CP_CLONE_ERROR_RANGE = 'R',
  CP_CLONE_ERROR_REFERENCE = 'F',
  CP_CLONE_ERROR_SYNTAX = 'S',
  CP_CLONE_ERROR_TYPE = 'T',
  CP_CLONE_ERROR_URI = 'U',
  CP_CLONE_ERROR_MESSAGE = 'm',
  CP_CLONE_ERROR_CAUSE = 'c',
  CP_CLONE_ERROR_STACK = 's',
  CP_CLONE_ERROR_END = '.',
} cp_clone_error_tag;

/* The flags of a RegExp in the order of their bits, from the lowest. */
#define CP_CLONE_REGEXP_FLAGS "gimyusldv"

#endif
