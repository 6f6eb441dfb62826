/* study.subset: the patients to analyse, by clinical columns. */
#include <math.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/frame.h"
#include "radmix/text.h"

static bool is_equal(const rx_column *column, size_t row, const char *value) {
  double number;

  if (column->kind == RX_TEXT) return *value && !strcmp(column->text[row], value);
  if (!rx_number_read(value, &number)) return false;
  return column->kind == RX_REAL ? column->real[row] == number
                                 : (double)column->integer[row] == number;
}

/* Clears the mark of those for whom one condition, "ER=1", does not hold. condition is changed. */
static rx_status apply(char *condition, const rx_frame *clinical, const char *path, size_t n,
                       const ptrdiff_t *rows, bool *is_in) {
  char *equals = strchr(condition, '=');

  if (!equals)
    return RX_FAIL(RX_ERR_CONFIG, "study.subset: expected column=value, found '%.80s'", condition);
  *equals = '\0';
  const char *name = rx_trim(condition), *value = rx_trim(equals + 1);
  const rx_column *column = clinical ? rx_frame_find(clinical, name) : NULL;
  if (!column)
    return RX_FAIL(RX_ERR_CONFIG, "study.subset: expected a column of %.500s, found '%.80s'",
                   *path ? path : "study.clinical", name);
  for (size_t i = 0; i < n; i++)
    is_in[i] = is_in[i] && rows[i] >= 0 && is_equal(column, (size_t)rows[i], value);
  return RX_OK;
}

rx_status rx_subset_mark(const char *subset, const rx_frame *clinical, const char *path, size_t n,
                         const ptrdiff_t *rows, bool *is_in) {
  rx_list list;

  for (size_t i = 0; i < n; i++) is_in[i] = true;
  rx_status status = rx_list_create(subset, ',', &list);
  for (int k = 0; k < list.n && !status; k++)
    status = apply(list.items[k], clinical, path, n, rows, is_in);
  rx_list_destroy(&list);
  return status;
}
