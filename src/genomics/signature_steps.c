/* Reading the steps of a signature. */
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"
#include "signature_reader.h"

/* What a step changes: a table of genes or a score. */
static rx_status need_subject(const rx_reader *r, rx_signature_step *step) {
  step->table = r->n > 1 ? rx_reader_find_table(r->signature, r->words[1]) : -1;
  if (step->table < 0) return rx_reader_need_score(r, 1, &step->score);
  return rx_reader_need_table(r, 1, true, &step->table);
}

static rx_status want_words(const rx_reader *r, int least, int most, const char *form) {
  if (r->n >= least && r->n <= most) return RX_OK;
  return rx_reader_refuse(r, "expected '%s', found %d words", form, r->n);
}

/* A new score: verb NAME = ... */
static rx_status make_score(rx_reader *r, rx_signature_step *step) {
  rx_signature *s = r->signature;

  if (r->n < 4 || strcmp(r->words[2], "=") != 0)
    return rx_reader_refuse(r, "expected '%s NAME = ...'", r->words[0]);
  if (rx_reader_find_score(s, r->words[1]) >= 0 || rx_reader_find_table(s, r->words[1]) >= 0)
    return rx_reader_refuse(r, "expected a name of its own, found '%.80s' again", r->words[1]);
  step->score = s->n_scores;
  s->scores[s->n_scores++] = r->words[1];
  return RX_OK;
}

static rx_status take_rescale(rx_reader *r, rx_signature_step *step) {
  bool is_quantile = r->n > 2 && !strcmp(r->words[2], "quantile");

  RX_TRY(need_subject(r, step));
  if (!is_quantile && (r->n < 3 || strcmp(r->words[2], "range") != 0))
    return rx_reader_refuse(r, "expected 'range' or 'quantile', found '%.80s'",
                            r->n > 2 ? r->words[2] : "");
  step->verb = is_quantile ? RX_STEP_RESCALE_QUANTILE : RX_STEP_RESCALE_RANGE;
  if (is_quantile) {
    RX_TRY(want_words(r, 6, 6, "rescale X quantile Q LOW HIGH"));
    RX_TRY(rx_reader_take_number(r, 3, &step->quantile));
    if (!(step->quantile >= 0 && step->quantile < 0.5))
      return rx_reader_refuse(r, "expected a quantile of 0 .. 0.5, found %g", step->quantile);
  } else {
    RX_TRY(want_words(r, 5, 5, "rescale X range LOW HIGH"));
  }
  RX_TRY(rx_reader_take_number(r, r->n - 2, &step->low));
  return rx_reader_take_number(r, r->n - 1, &step->high);
}

static rx_status take_standardise(rx_reader *r, rx_signature_step *step) {
  step->verb = RX_STEP_STANDARDISE;
  RX_TRY(want_words(r, 2, 2, "standardise X"));
  return need_subject(r, step);
}

static rx_status take_centre(rx_reader *r, rx_signature_step *step) {
  step->verb = RX_STEP_CENTRE;
  if (r->n != 3 || strcmp(r->words[2], "patient") != 0)
    return rx_reader_refuse(r, "expected 'centre TABLE patient'");
  return rx_reader_need_table(r, 1, true, &step->table);
}

static rx_status take_pair(rx_reader *r, rx_signature_step *step, rx_signature_verb verb,
                           const char *form) {
  step->verb = verb;
  RX_TRY(want_words(r, 4, 4, form));
  RX_TRY(need_subject(r, step));
  RX_TRY(rx_reader_take_number(r, 2, &step->low));
  return rx_reader_take_number(r, 3, &step->high);
}

static rx_status take_clip(rx_reader *r, rx_signature_step *step) {
  return take_pair(r, step, RX_STEP_CLIP, "clip X LOW HIGH");
}

static rx_status take_affine(rx_reader *r, rx_signature_step *step) {
  return take_pair(r, step, RX_STEP_AFFINE, "affine X FACTOR OFFSET");
}

static rx_status take_invert(rx_reader *r, rx_signature_step *step) {
  step->verb = RX_STEP_INVERT;
  RX_TRY(want_words(r, 4, 4, "invert TABLE A B"));
  RX_TRY(rx_reader_need_table(r, 1, true, &step->table));
  RX_TRY(rx_reader_need_column(r, step->table, 2, &step->column));
  return rx_reader_need_column(r, step->table, 3, &step->column_b);
}

/* verb NAME = TABLE COLUMN [word] */
static rx_status take_weighted(rx_reader *r, rx_signature_step *step, const char *form) {
  RX_TRY(want_words(r, 5, 6, form));
  RX_TRY(rx_reader_need_table(r, 3, true, &step->table));
  RX_TRY(rx_reader_need_column(r, step->table, 4, &step->column));
  return make_score(r, step);
}

static rx_status take_mean(rx_reader *r, rx_signature_step *step) {
  step->verb = RX_STEP_MEAN;
  step->is_signs = r->n == 6 && !strcmp(r->words[5], "signs");
  if (r->n == 6 && !step->is_signs)
    return rx_reader_refuse(r, "expected 'signs', found '%.80s'", r->words[5]);
  return take_weighted(r, step, "mean NAME = TABLE COLUMN [signs]");
}

static rx_status take_sum(rx_reader *r, rx_signature_step *step) {
  step->verb = RX_STEP_SUM;
  step->group = r->n == 6 ? r->words[5] : NULL;
  RX_TRY(take_weighted(r, step, "sum NAME = TABLE COLUMN [GROUP]"));
  const rx_signature_table *table = &r->signature->tables[step->table];
  for (int i = 0; step->group && i < table->n_columns; i++)
    if (!strcmp(table->columns[i], "group")) {
      step->column_b = i;
      return RX_OK;
    }
  if (step->group)
    return rx_reader_refuse(r, "expected a column 'group' in %s, found none", table->name);
  return RX_OK;
}

static rx_status take_correlate(rx_reader *r, rx_signature_step *step) {
  step->verb = RX_STEP_CORRELATE;
  step->is_ranks = r->n == 6 && !strcmp(r->words[5], "spearman");
  if (r->n == 6 && !step->is_ranks && strcmp(r->words[5], "pearson") != 0)
    return rx_reader_refuse(r, "expected spearman or pearson, found '%.80s'", r->words[5]);
  RX_TRY(want_words(r, 6, 6, "correlate NAME = TABLE COLUMN spearman|pearson"));
  return take_weighted(r, step, "correlate NAME = TABLE COLUMN spearman|pearson");
}

/* posterior NAME = NUMBERS ROW of SCORE ... */
static rx_status take_posterior(rx_reader *r, rx_signature_step *step) {
  step->verb = RX_STEP_POSTERIOR;
  RX_TRY(want_words(r, 7, 6 + RX_SIGNATURE_ITEMS, "posterior NAME = NUMBERS ROW of SCORE ..."));
  RX_TRY(rx_reader_need_table(r, 3, false, &step->table));
  const rx_signature_table *table = &r->signature->tables[step->table];
  while (step->row < table->n_rows &&
         strcmp(table->cells[step->row * (size_t)table->n_columns], r->words[4]) != 0)
    step->row++;
  if (step->row == table->n_rows)
    return rx_reader_refuse(r, "expected a row of %s, found '%.80s'", table->name, r->words[4]);
  if (strcmp(r->words[5], "of") != 0)
    return rx_reader_refuse(r, "expected 'of', found '%.80s'", r->words[5]);
  for (int word = 6; word < r->n; word++)
    RX_TRY(rx_reader_need_score(r, word, &step->of[step->n_of++]));
  if (table->n_columns != 2 + 2 * step->n_of)
    return rx_reader_refuse(r, "expected %d columns in %s: name, share, means, variances; found %d",
                            2 + 2 * step->n_of, table->name, table->n_columns);
  return make_score(r, step);
}

static rx_status take_item(rx_reader *r, int word, rx_signature_term *term) {
  rx_signature_item item = {.score = -1};

  if (term->n_items == RX_SIGNATURE_ITEMS)
    return rx_reader_refuse(r, "expected at most %d factors in a term, found more",
                            RX_SIGNATURE_ITEMS);
  if (word >= r->n) return rx_reader_refuse(r, "expected a number or a score at the end");
  if (!rx_number_read(r->words[word], &item.number))
    RX_TRY(rx_reader_need_score(r, word, &item.score));
  term->items[term->n_items++] = item;
  return RX_OK;
}

/* combine NAME = [-] item [* item] ... +|- ... */
static rx_status take_combine(rx_reader *r, rx_signature_step *step) {
  int word = 3;

  step->verb = RX_STEP_COMBINE;
  RX_TRY(RX_NEW(&step->terms, "terms of a signature", RX_SIGNATURE_TERMS));
  while (word < r->n) {
    bool has_sign = !strcmp(r->words[word], "+") || !strcmp(r->words[word], "-");

    if (step->n_terms == RX_SIGNATURE_TERMS)
      return rx_reader_refuse(r, "expected at most %d terms, found more", RX_SIGNATURE_TERMS);
    if (!has_sign && step->n_terms)
      return rx_reader_refuse(r, "expected + or - before '%.80s'", r->words[word]);
    rx_signature_term *term = &step->terms[step->n_terms++];
    term->is_negative = !strcmp(r->words[word], "-");
    word += has_sign;
    RX_TRY(take_item(r, word++, term));
    while (word < r->n && !strcmp(r->words[word], "*")) {
      RX_TRY(take_item(r, word + 1, term));
      word += 2;
    }
  }
  return make_score(r, step);
}

static const struct {
  const char *word;
  rx_status (*take)(rx_reader *r, rx_signature_step *step);
} verbs[] = {{"rescale", take_rescale},     {"standardise", take_standardise},
             {"centre", take_centre},       {"clip", take_clip},
             {"affine", take_affine},       {"invert", take_invert},
             {"mean", take_mean},           {"sum", take_sum},
             {"correlate", take_correlate}, {"posterior", take_posterior},
             {"combine", take_combine}};

static rx_status take_step(rx_reader *r) {
  rx_signature *s = r->signature;

  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    if (!strcmp(verbs[i].word, r->words[0])) {
      s->steps[s->n_steps] = (rx_signature_step){.table = -1, .score = -1};
      return verbs[i].take(r, &s->steps[s->n_steps++]);
    }
  return rx_reader_refuse(r, "expected a step such as mean or rescale, found '%.80s'", r->words[0]);
}

rx_status rx_reader_take_steps(rx_reader *r) {
  bool is_there;

  for (;;) {
    RX_TRY(rx_reader_take_words(r, &is_there));
    if (!is_there)
      return rx_reader_refuse(r, "expected 'end' of the steps, found the end of the file");
    if (r->n == 1 && !strcmp(r->words[0], "end")) return RX_OK;
    RX_TRY(take_step(r));
  }
}
