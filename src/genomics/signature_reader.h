/* signature_reader.h: a signature while it is read: the line at hand as words. Local. */
#ifndef GENOMICS_SIGNATURE_READER_H
#define GENOMICS_SIGNATURE_READER_H

#include "signature.h"

enum { RX_READER_WORDS = 64 };

typedef struct {
  rx_signature *signature;
  size_t next; /* line to read, of signature->lines */
  size_t line; /* of the file */
  int n;
  char *words[RX_READER_WORDS];
} rx_reader;

/* Notes an error with file and line; yields RX_ERR_INPUT. */
rx_status rx_reader_refuse(const rx_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes the next line; *is_there is false at the end of the file. */
rx_status rx_reader_take_words(rx_reader *r, bool *is_there);
rx_status rx_reader_take_number(const rx_reader *r, int word, double *number);

/* Places of names; -1: there is none. */
int rx_reader_find_table(const rx_signature *s, const char *name);
int rx_reader_find_score(const rx_signature *s, const char *name);

/* The same for the word at a place of the line; none is an error. */
rx_status rx_reader_need_column(const rx_reader *r, int table, int word, int *column);
rx_status rx_reader_need_table(const rx_reader *r, int word, bool is_of_genes, int *table);
rx_status rx_reader_need_score(const rx_reader *r, int word, int *score);

/* Takes the lines from after `steps` to `end`. */
rx_status rx_reader_take_steps(rx_reader *r);

#endif
