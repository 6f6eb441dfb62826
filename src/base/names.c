/* A set of names with their positions: open addressing on xxHash, grown at half full. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"

typedef struct {
  char *name; /* NULL: free */
  ptrdiff_t position;
} slot;

struct rx_names {
  size_t room, used; /* room is a power of two */
  slot *slots;
};

rx_status rx_names_create(rx_names **out) {
  RX_TRY(RX_NEW(out, "names", 1));
  (*out)->room = 64;
  rx_status status = RX_NEW(&(*out)->slots, "names", (*out)->room);
  if (status) rx_names_destroy(out);
  return status;
}

void rx_names_destroy(rx_names **names) {
  if (!*names) return;
  for (size_t i = 0; (*names)->slots && i < (*names)->room; i++) free((*names)->slots[i].name);
  free((*names)->slots);
  free(*names);
  *names = NULL;
}

/* The slot that holds name, or the free one where it belongs. */
static slot *locate(slot *slots, size_t room, const char *name) {
  size_t i = (size_t)XXH64(name, strlen(name), 0) & (room - 1);

  while (slots[i].name && strcmp(slots[i].name, name)) i = (i + 1) & (room - 1);
  return &slots[i];
}

static rx_status grow(rx_names *names) {
  slot *slots;

  RX_TRY(RX_NEW(&slots, "names", names->room * 2));
  for (size_t i = 0; i < names->room; i++)
    if (names->slots[i].name)
      *locate(slots, names->room * 2, names->slots[i].name) = names->slots[i];
  free(names->slots);
  names->slots = slots;
  names->room *= 2;
  return RX_OK;
}

rx_status rx_names_add(rx_names *names, const char *name, ptrdiff_t position,
                       ptrdiff_t *position_before) {
  if (2 * names->used >= names->room) RX_TRY(grow(names));
  slot *place = locate(names->slots, names->room, name);
  if (position_before) *position_before = place->name ? place->position : -1;
  if (place->name) return RX_OK;
  RX_TRY(rx_copy_text(name, &place->name));
  place->position = position;
  names->used++;
  return RX_OK;
}

ptrdiff_t rx_names_find(const rx_names *names, const char *name) {
  const slot *place = locate(names->slots, names->room, name);

  return place->name ? place->position : -1;
}
