/* The format's bytes. */
#ifndef CP_CLONE_TAGS_H
#define CP_CLONE_TAGS_H

enum {
  CP_CLONE_VERSION_TAG = 0xFF,
  CP_CLONE_VERSION = 15,
  CP_CLONE_OLDEST_VERSION = 13,
  CP_CLONE_VERSION_OF_VIEW_FLAGS = 14,
};

/* Before each value is one of these. */
typedef enum cp_clone_tag {
  CP_CLONE_TAG_PADDING = '\0', /* before a tag: a mark; see clone.h */
  CP_CLONE_TAG_OBJECT_COUNT = '?',
  CP_CLONE_TAG_HOLE = '-',
  CP_CLONE_TAG_UNDEFINED = '_',
  CP_CLONE_TAG_NULL = '0',
  CP_CLONE_TAG_TRUE = 'T',
  CP_CLONE_TAG_FALSE = 'F',
  CP_CLONE_TAG_INT32 = 'I', /* the sign in the lowest bit */
  CP_CLONE_TAG_UINT32 = 'U',
  CP_CLONE_TAG_DOUBLE = 'N', /* eight bytes, in the machine's order */
  CP_CLONE_TAG_BIGINT =
      'Z',                 /* the sign in the lowest bit, the number of bytes above it, the bytes */
  CP_CLONE_TAG_UTF8 = 'S', /* this and the next two: bytes, and so many */
  CP_CLONE_TAG_ONE_BYTE = '"',
  CP_CLONE_TAG_TWO_BYTE = 'c',
  CP_CLONE_TAG_REFERENCE = '^', /* the number of an object that came before, from 0 */
  CP_CLONE_TAG_OBJECT = 'o',
  CP_CLONE_TAG_OBJECT_END = '{', /* how many properties there were */
  CP_CLONE_TAG_SPARSE = 'a',     /* its length; then properties */
  CP_CLONE_TAG_SPARSE_END = '@', /* how many properties there were, and the length again */
  CP_CLONE_TAG_DENSE = 'A',      /* its length; then elements, then properties */
  CP_CLONE_TAG_DENSE_END = '$',  /* as of a sparse one */
  CP_CLONE_TAG_DATE = 'D',
  CP_CLONE_TAG_TRUE_OBJECT = 'y',
  CP_CLONE_TAG_FALSE_OBJECT = 'x',
  CP_CLONE_TAG_NUMBER_OBJECT = 'n',
  CP_CLONE_TAG_BIGINT_OBJECT = 'z',
  CP_CLONE_TAG_STRING_OBJECT = 's',
  CP_CLONE_TAG_REGEXP = 'R', /* a string, and the flags */
  CP_CLONE_TAG_MAP = ';',
  CP_CLONE_TAG_MAP_END = ':', /* how many keys and values there were */
  CP_CLONE_TAG_SET = '\'',
  CP_CLONE_TAG_SET_END = ',',
  CP_CLONE_TAG_ARRAY_BUFFER = 'B',
  CP_CLONE_TAG_RESIZABLE_BUFFER = '~',
  CP_CLONE_TAG_VIEW = 'V',         /* behind an ArrayBuffer, which it takes the place of */
  CP_CLONE_TAG_HOST_OBJECT = '\\', /* what Node writes itself */
  CP_CLONE_TAG_ERROR = 'r',
} cp_clone_tag;

/* How Node begins a host object. */
enum { CP_CLONE_HOST_VIEW = 0, CP_CLONE_HOST_OTHER = 1 };

/* Within an error, the first only where the kind is not plain Error. */
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

/* The flags of a RegExp by their bits, from the lowest. */
#define CP_CLONE_REGEXP_FLAGS "gimyusldv"

#endif
