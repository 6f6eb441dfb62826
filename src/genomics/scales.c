#include "scales.h"

#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

struct rx_scales {
  size_t n, room;
  char **name;
  double *value;
  rx_names *places;
};

rx_status rx_scales_create(rx_scales **out) {
  RX_TRY(RX_NEW(out, "scales", 1));
  rx_status status = rx_names_create(&(*out)->places);
  if (status) rx_scales_destroy(out);
  return status;
}

void rx_scales_destroy(rx_scales **scales) {
  rx_scales *s = *scales;

  if (!s) return;
  for (size_t i = 0; i < s->n; i++) free(s->name[i]);
  free(s->name);
  free(s->value);
  rx_names_destroy(&s->places);
  free(s);
  *scales = NULL;
}

static rx_status widen(rx_scales *scales) {
  size_t room = scales->room ? scales->room * 2 : 256;
  char **name = NULL;
  double *value = NULL;

  rx_status status = RX_NEW(&name, "scales", room);
  if (!status) status = RX_NEW(&value, "scales", room);
  if (status) {
    free(name);
    return status;
  }
  if (scales->n) {
    memcpy(name, scales->name, scales->n * sizeof *name);
    memcpy(value, scales->value, scales->n * sizeof *value);
  }
  free(scales->name);
  free(scales->value);
  scales->name = name;
  scales->value = value;
  scales->room = room;
  return RX_OK;
}

rx_status rx_scales_set(rx_scales *scales, const char *name, double value) {
  ptrdiff_t place = rx_names_find(scales->places, name);

  if (place >= 0) {
    scales->value[place] = value;
    return RX_OK;
  }
  if (scales->n == scales->room) RX_TRY(widen(scales));
  RX_TRY(rx_copy_text(name, &scales->name[scales->n]));
  scales->value[scales->n] = value;
  return rx_names_add(scales->places, name, (ptrdiff_t)scales->n++, NULL);
}

bool rx_scales_get(const rx_scales *scales, const char *name, double *value) {
  ptrdiff_t place = rx_names_find(scales->places, name);

  if (place >= 0) *value = scales->value[place];
  return place >= 0;
}

size_t rx_scales_count(const rx_scales *scales) {
  return scales->n;
}

rx_status rx_scales_write(const rx_scales *scales, rx_store *store) {
  if (scales->n == 0) return RX_OK;
  RX_TRY(rx_store_put_texts(store, "uns/scales/name", scales->n, scales->name));
  return rx_store_put(store, "uns/scales/value", RX_FLOAT64, 1, &scales->n, scales->value);
}

rx_status rx_scales_read(const rx_store *store, rx_scales *scales) {
  char **names = NULL;
  double *values = NULL;
  size_t n;

  if (!rx_store_has(store, "uns/scales/name")) return RX_OK;
  RX_TRY(rx_store_get_texts(store, "uns/scales/name", &n, &names));
  rx_status status = RX_NEW(&values, "scales", n);
  if (!status) status = rx_store_get(store, "uns/scales/value", RX_FLOAT64, n, values);
  for (size_t i = 0; i < n && !status; i++) status = rx_scales_set(scales, names[i], values[i]);
  free(values);
  rx_texts_destroy(&names, n);
  return status;
}
