/* report.h: one page that a reader of the study can open, with every figure beside it.
 *
 * report/index.html is self-contained: figures are SVG within it, a style and a short script too;
 * it asks for nothing from a network and is complete without the script, which sorts, filters and
 * shows values under the pointer. report/figures has each figure as SVG and PDF with the gnuplot
 * script and the data that made it; report/tables the tables in full.
 *
 * The page shows what is in the files of the study and never computes it anew; a stage that has not
 * run is said to be absent. gnuplot is a program found at run time. */
#ifndef RADMIX_REPORT_H
#define RADMIX_REPORT_H

#include "radmix/job.h"
#include "radmix/status.h"

/* Writes the report of study.directory, unless it is up to date; an older one is replaced, since
 * all in it comes from other files. With report.controls the controls are run first. Collective;
 * rank 0 does the work.
 * Errors: RX_ERR_INPUT (a file of the study is damaged), RX_ERR_OUTPUT, RX_ERR_MEMORY;
 * RX_ERR_MISSING when there is no gnuplot: page and tables are written, without figures. */
rx_status rx_report_run(const rx_job *job);

#endif
