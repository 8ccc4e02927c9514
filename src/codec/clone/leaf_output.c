/* One function per class writes its objects. */
#include "codec/clone/leaf_output.h"

#include "codec/clone/bigint.h"
#include "codec/clone/view.h"

#include <string.h>

bool cp_clone_is_leaf(cp_clone_class class)
{
  return class >= CP_CLONE_DATE && class <= CP_CLONE_TYPED_ARRAY;
}

static const char *put_date(cp_clone_output *out)
{
  if (cp_clone_push_field(out->L, -1, "time") != LUA_TNUMBER) {
    return "is a Date without a time";
  }
  cp_clone_put_double(out, CP_CLONE_TAG_DATE, lua_tonumber(out->L, -1));
  lua_pop(out->L, 1);
  out->next_id++;
  return NULL;
}

/* Returns the bits of a RegExp's flags, or -1 for an unknown flag. */
static int regexp_bits(const char *flags)
{
  static const char names[] = CP_CLONE_REGEXP_FLAGS;
  int bits = 0;

  for (; *flags != '\0'; flags++) {
    const char *name = strchr(names, *flags);

    if (name == NULL) {
      return -1;
    }
    bits |= 1 << (name - names);
  }
  return bits;
}

static const char *put_regexp(cp_clone_output *out)
{
  size_t source_length = 0, flags_length = 0;
  const char *source = cp_clone_push_string_field(out->L, -1, "source", &source_length);
  const char *flags = cp_clone_push_string_field(out->L, -2, "flags", &flags_length);
  int bits = flags == NULL ? -1 : regexp_bits(flags);

  if (source == NULL || bits < 0) {
    return "is a RegExp without a source, or with flags that do not exist";
  }
  cp_clone_put_byte(out, CP_CLONE_TAG_REGEXP);
  cp_clone_put_text(out, source, source_length);
  cp_clone_put_varint(out, (uint64_t)bits);
  lua_pop(out->L, 2);
  out->next_id++;
  return NULL;
}

static const char *put_bigint(cp_clone_output *out)
{
  size_t length = 0;
  const char *hex = cp_clone_push_string_field(out->L, -1, "hex", &length);

  if (hex == NULL || !cp_clone_put_bigint(out, hex, length)) {
    return "is a BigInt without hexadecimal digits, or with too many";
  }
  lua_pop(out->L, 1);
  return NULL;
}

static const char *put_array_buffer(cp_clone_output *out)
{
  size_t length = 0;
  const char *bytes = cp_clone_push_string_field(out->L, -1, "bytes", &length);

  if (bytes == NULL) {
    return "is an ArrayBuffer without bytes";
  }
  cp_clone_put_bytes(out, CP_CLONE_TAG_ARRAY_BUFFER, bytes, length);
  lua_pop(out->L, 1);
  out->next_id++;
  return NULL;
}

static const char *put_typed_array(cp_clone_output *out)
{
  size_t length = 0, name_length = 0;
  const char *bytes = cp_clone_push_string_field(out->L, -1, "bytes", &length);
  const char *name = cp_clone_push_string_field(out->L, -2, "type", &name_length);
  const cp_clone_view *view = name == NULL ? NULL : cp_clone_view_of_name(name);

  if (bytes == NULL || view == NULL) {
    return "is a typed array without bytes, or of a type that does not exist";
  }
  if (length % view->element_size != 0) {
    return "is a typed array whose bytes are not a whole number of elements";
  }
  cp_clone_put_view(out, view->number, bytes, length);
  lua_pop(out->L, 2);
  return NULL;
}

const char *cp_clone_put_leaf(cp_clone_output *out, cp_clone_class class)
{
  switch (class) {
    case CP_CLONE_DATE: return put_date(out);
    case CP_CLONE_REGEXP: return put_regexp(out);
    case CP_CLONE_BIGINT: return put_bigint(out);
    case CP_CLONE_ARRAY_BUFFER: return put_array_buffer(out);
    default: return put_typed_array(out);
  }
}
