/* folds.h: which patients are held out together. Local.
 *
 * Patients are dealt to folds by iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011,
 * ECML PKDD 2011:145): the rarest label first, each of its patients to the fold that lacks it most.
 * With one label per class of one outcome that is plain stratification; with several outcomes and
 * feature sets each of them is spread as evenly as the others allow.
 *
 * A single split is one fold that is held out, and units that always train. */
#ifndef RADMIX_PREDICTION_FOLDS_H
#define RADMIX_PREDICTION_FOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radmix/random.h"
#include "radmix/status.h"
#include "radmix/table.h"

/* Deals n units to folds 0 .. n_folds - 1.
 * labels  [n_labels][n], 1 where a unit has the label
 * share   [n_folds], what part of the units each fold gets; NULL: equal parts
 * fold    [n], set; units whose entry is negative on entry take no part
 * random  where ties and order come from
 * Errors: RX_ERR_MEMORY. */
rx_status rx_folds_deal(size_t n, int n_labels, const unsigned char *labels, int n_folds,
                        const double *share, rx_random *random, int *fold);

/* Labels of an outcome: two for 0 and 1, or five by rank for numbers. A missing outcome has none.
 * labels [most RX_FOLD_LABELS][n], set; n_labels: added to. Errors: RX_ERR_MEMORY. */
enum { RX_FOLD_LABELS = 5 };
rx_status rx_folds_label(size_t n, const double *y, bool is_binary, unsigned char *labels,
                         int *n_labels);

/* Outer folds of a run. */
typedef struct {
  int n_repeats, n_folds;
  size_t n_patients;
  int *fold; /* [n_repeats][n_patients], -1: takes no part; n_folds: always trains; owned */
} rx_folds;

rx_status rx_folds_create(int n_repeats, int n_folds, size_t n_patients, rx_folds **out);
void rx_folds_destroy(rx_folds **folds);

/* Makes folds of a table with columns patient, repeat, fold (whole numbers from 1; fold 0 always
 * trains). A patient who is not in the table takes no part. Errors: RX_ERR_INPUT with file and
 * line: no such column, no whole number, a patient twice in one repeat, in some repeats only; no
 * fold; one that holds everybody. */
rx_status rx_folds_read(const rx_table *table, size_t n_patients, char *const *patients,
                        rx_folds **out);

/* Writes such a table. Errors: RX_ERR_OUTPUT. */
rx_status rx_folds_write(const rx_folds *folds, char *const *patients, const char *path);

#endif
