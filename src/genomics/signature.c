/* Reading signatures. */
#include "signature.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/text.h"
#include "signature_reader.h"

rx_status rx_reader_refuse(const rx_reader *r, const char *format, ...) {
  char text[512];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return RX_FAIL(RX_ERR_INPUT, "%s:%zu: %s", r->signature->lines.path, r->line, text);
}

/* Cuts the next line into words; false at the end of the file. */
static bool take_line(rx_reader *r, char **rest) {
  const rx_lines *lines = &r->signature->lines;

  if (r->next == lines->n) return false;
  r->line = lines->line[r->next];
  char *text = rx_trim(lines->text[r->next++]);
  *rest = text + strcspn(text, " \t");
  if (**rest) *(*rest)++ = '\0';
  *rest = rx_trim(*rest);
  r->words[0] = text;
  r->n = 1;
  return true;
}

/* Cuts what follows the first word into words. */
static rx_status cut_words(rx_reader *r, char *rest) {
  while (*rest) {
    size_t length = strcspn(rest, " \t");

    if (r->n == RX_READER_WORDS)
      return rx_reader_refuse(r, "expected at most %d words, found more", RX_READER_WORDS);
    r->words[r->n++] = rest;
    rest += length;
    if (*rest) *rest++ = '\0';
    rest += strspn(rest, " \t");
  }
  return RX_OK;
}

rx_status rx_reader_take_words(rx_reader *r, bool *is_there) {
  char *rest;

  *is_there = take_line(r, &rest);
  return *is_there ? cut_words(r, rest) : RX_OK;
}

rx_status rx_reader_take_number(const rx_reader *r, int word, double *number) {
  if (word >= r->n || !rx_number_read(r->words[word], number))
    return rx_reader_refuse(r, "expected a number as word %d, found '%.80s'", word + 1,
                            word < r->n ? r->words[word] : "nothing");
  return RX_OK;
}

/* The places of names; -1: there is none. */
int rx_reader_find_table(const rx_signature *s, const char *name) {
  for (int i = 0; i < s->n_tables; i++)
    if (!strcmp(s->tables[i].name, name)) return i;
  return -1;
}

int rx_reader_find_score(const rx_signature *s, const char *name) {
  for (int i = 0; i < s->n_scores; i++)
    if (!strcmp(s->scores[i], name)) return i;
  return -1;
}

rx_status rx_reader_need_column(const rx_reader *r, int table, int word, int *column) {
  const rx_signature_table *t = &r->signature->tables[table];

  for (*column = 0; word < r->n && *column < t->n_columns; ++*column)
    if (!strcmp(t->columns[*column], r->words[word])) return RX_OK;
  return rx_reader_refuse(r, "expected a column of %s, found '%.80s'", t->name,
                          word < r->n ? r->words[word] : "nothing");
}

rx_status rx_reader_need_table(const rx_reader *r, int word, bool is_of_genes, int *table) {
  *table = word < r->n ? rx_reader_find_table(r->signature, r->words[word]) : -1;
  if (*table < 0 || r->signature->tables[*table].is_of_genes != is_of_genes)
    return rx_reader_refuse(r, "expected a table of %s, found '%.80s'",
                            is_of_genes ? "genes" : "numbers",
                            word < r->n ? r->words[word] : "nothing");
  return RX_OK;
}

rx_status rx_reader_need_score(const rx_reader *r, int word, int *score) {
  *score = word < r->n ? rx_reader_find_score(r->signature, r->words[word]) : -1;
  if (*score < 0)
    return rx_reader_refuse(r, "expected a score that is made before, found '%.80s'",
                            word < r->n ? r->words[word] : "nothing");
  return RX_OK;
}

/* ---- tables ---- */

static bool holds_words(const char *column) {
  return !strcmp(column, "symbol") || !strcmp(column, "entrez") || !strcmp(column, "alias") ||
         !strcmp(column, "group") || !strcmp(column, "name");
}

static rx_status take_columns(rx_reader *r, rx_signature_table *table) {
  bool is_there;

  RX_TRY(rx_reader_take_words(r, &is_there));
  if (!is_there)
    return rx_reader_refuse(r, "expected the columns of %s, found the end", table->name);
  RX_TRY(RX_NEW(&table->columns, "columns of a signature", r->n));
  for (int i = 0; i < r->n; i++) table->columns[table->n_columns++] = r->words[i];
  bool is_right = table->is_of_genes ? r->n >= 2 && !strcmp(r->words[0], "symbol") &&
                                           !strcmp(r->words[1], "entrez")
                                     : !strcmp(r->words[0], "name");
  if (!is_right)
    return rx_reader_refuse(r, "expected the columns %s first, found '%.80s'",
                            table->is_of_genes ? "symbol and entrez" : "name", r->words[0]);
  return RX_OK;
}

static rx_status take_row(rx_reader *r, rx_signature_table *table) {
  size_t first = table->n_rows * (size_t)table->n_columns;

  if (r->n != table->n_columns)
    return rx_reader_refuse(r, "expected %d words, one a column of %s, found %d", table->n_columns,
                            table->name, r->n);
  for (int i = 0; i < r->n; i++) {
    table->cells[first + (size_t)i] = r->words[i];
    table->numbers[first + (size_t)i] = NAN;
    if (!holds_words(table->columns[i]))
      RX_TRY(rx_reader_take_number(r, i, &table->numbers[first + (size_t)i]));
  }
  if (table->is_of_genes && !strcmp(r->words[0], "-") && !strcmp(r->words[1], "-"))
    return rx_reader_refuse(r, "expected a symbol or an Entrez id, found neither");
  table->n_rows++;
  return RX_OK;
}

/* Refuses a gene, or a row of numbers, that is there twice. */
static rx_status check_rows(const rx_reader *r, const rx_signature_table *table) {
  rx_names *names = NULL;
  rx_status status = rx_names_create(&names);

  for (size_t row = 0; row < table->n_rows && !status; row++) {
    const char **cell = &table->cells[row * (size_t)table->n_columns];
    const char *name = table->is_of_genes && strcmp(cell[1], "-") != 0 ? cell[1] : cell[0];
    ptrdiff_t before;

    status = rx_names_add(names, name, (ptrdiff_t)row, &before);
    if (!status && before >= 0)
      status = rx_reader_refuse(r, "expected each row of %s once, found '%.80s' again", table->name,
                                cell[0]);
  }
  rx_names_destroy(&names);
  return status;
}

static rx_status take_table(rx_reader *r, bool is_of_genes) {
  rx_signature *s = r->signature;
  rx_signature_table *table = &s->tables[s->n_tables];
  bool is_there;

  if (r->n != 2 || rx_reader_find_table(s, r->words[1]) >= 0)
    return rx_reader_refuse(r, "expected a name of its own for a table, found '%.80s'",
                            r->n == 2 ? r->words[1] : "another number of words");
  *table = (rx_signature_table){.name = r->words[1], .is_of_genes = is_of_genes};
  s->n_tables++;
  RX_TRY(take_columns(r, table));
  size_t room = (s->lines.n - r->next) * (size_t)table->n_columns;
  RX_TRY(RX_NEW(&table->cells, "table of a signature", room));
  RX_TRY(RX_NEW(&table->numbers, "table of a signature", room));
  for (;;) {
    RX_TRY(rx_reader_take_words(r, &is_there));
    if (!is_there)
      return rx_reader_refuse(r, "expected 'end' of %s, found the end of the file", table->name);
    if (r->n == 1 && !strcmp(r->words[0], "end")) break;
    RX_TRY(take_row(r, table));
  }
  if (table->n_rows == 0)
    return rx_reader_refuse(r, "expected rows in %s, found none", table->name);
  return check_rows(r, table);
}

/* ---- the whole ---- */

static rx_status take_needs(rx_reader *r) {
  rx_signature *s = r->signature;

  for (int word = 1; word < r->n; word++) {
    if (!strcmp(r->words[word], "all"))
      s->needs_all = true;
    else if (!strcmp(r->words[word], "centred"))
      s->needs_centred = true;
    else
      return rx_reader_refuse(r, "expected all or centred, found '%.80s'", r->words[word]);
  }
  return RX_OK;
}

static rx_status take_risk(rx_reader *r) {
  rx_signature *s = r->signature;

  if (r->n > RX_SIGNATURE_CUTS)
    return rx_reader_refuse(r, "expected at most %d cuts, found %d", RX_SIGNATURE_CUTS - 1,
                            r->n - 1);
  for (int word = 1; word < r->n; word++) {
    RX_TRY(rx_reader_take_number(r, word, &s->cuts[s->n_cuts++]));
    if (word > 1 && !(s->cuts[word - 1] > s->cuts[word - 2]))
      return rx_reader_refuse(r, "expected rising cuts, found %g after %g", s->cuts[word - 1],
                              s->cuts[word - 2]);
  }
  return RX_OK;
}

/* Takes a statement of one line or of many; the text of title and citation stays whole. */
static rx_status take_statement(rx_reader *r, char *rest) {
  rx_signature *s = r->signature;
  const char *word = r->words[0];

  if (!strcmp(word, "note")) return RX_OK;
  if (!strcmp(word, "title")) {
    s->title = rest;
    return RX_OK;
  }
  if (!strcmp(word, "citation")) {
    s->citation = rest;
    return RX_OK;
  }
  RX_TRY(cut_words(r, rest));
  if (!strcmp(word, "needs")) return take_needs(r);
  if (!strcmp(word, "risk")) return take_risk(r);
  if (!strcmp(word, "genes")) return take_table(r, true);
  if (!strcmp(word, "numbers")) return take_table(r, false);
  if (!strcmp(word, "steps") && r->n == 1) return rx_reader_take_steps(r);
  if (!strcmp(word, "signature") && r->n == 2) {
    s->name = r->words[1];
    return RX_OK;
  }
  if (!strcmp(word, "score") && r->n == 2) return rx_reader_need_score(r, 1, &s->score);
  return rx_reader_refuse(r, "expected a statement of a signature, found '%.80s'", word);
}

static rx_status read_all(rx_signature *s) {
  rx_reader r = {.signature = s};
  char *rest;

  s->score = -1;
  RX_TRY(RX_NEW(&s->tables, "signature", s->lines.n + 1));
  RX_TRY(RX_NEW(&s->scores, "signature", s->lines.n + 1));
  RX_TRY(RX_NEW(&s->steps, "signature", s->lines.n + 1));
  while (take_line(&r, &rest)) RX_TRY(take_statement(&r, rest));
  if (!s->name || !s->citation)
    return rx_reader_refuse(&r, "expected the statements signature and citation, found no %s",
                            s->name ? "citation" : "signature");
  if (s->score < 0) return rx_reader_refuse(&r, "expected the statement 'score NAME', found none");
  return RX_OK;
}

rx_status rx_signature_load(MPI_Comm comm, const char *path, rx_signature **out) {
  *out = NULL;
  RX_TRY(RX_NEW_AGREED(comm, out, "signature", 1));
  rx_status status = rx_lines_load(comm, path, &(*out)->lines);
  if (!status) status = RX_AGREE(comm, read_all(*out));
  if (status) rx_signature_destroy(out);
  return status;
}

void rx_signature_destroy(rx_signature **signature) {
  rx_signature *s = *signature;

  if (!s) return;
  for (int i = 0; i < s->n_tables; i++) {
    free(s->tables[i].columns);
    free(s->tables[i].cells);
    free(s->tables[i].numbers);
  }
  for (int i = 0; i < s->n_steps; i++) free(s->steps[i].terms);
  free(s->tables);
  free(s->scores);
  free(s->steps);
  rx_lines_destroy(&s->lines);
  free(s);
  *signature = NULL;
}

bool rx_signature_is_fitted(const rx_signature *signature) {
  for (int i = 0; i < signature->n_steps; i++)
    if (signature->steps[i].verb <= RX_STEP_STANDARDISE) return true;
  return false;
}

bool rx_signature_uses(const rx_signature *signature, int table) {
  for (int i = 0; i < signature->n_steps; i++)
    if (signature->steps[i].table == table) return true;
  return false;
}

int rx_signature_risk(const rx_signature *signature, double score) {
  int group = 0;

  if (isnan(score)) return -1;
  while (group < signature->n_cuts && score >= signature->cuts[group]) group++;
  return group;
}
