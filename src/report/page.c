#include "page.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "radmix/error.h"
#include "radmix/memory.h"
#include "radmix/result.h"
#include "radmix/text.h"

/* Where a figure goes: this byte, which no text of the page holds, its number, this byte. */
enum { MARK = '\001' };

/* ---- streams ---- */

static rx_status open_stream(rx_page_stream *stream) {
  stream->file = open_memstream(&stream->text, &stream->size);
  return stream->file ? RX_OK : RX_FAIL(RX_ERR_MEMORY, "report: no memory for the page");
}

static rx_status close_stream(rx_page_stream *stream) {
  if (!stream->file) return RX_OK;
  bool is_bad = ferror(stream->file);
  is_bad = fclose(stream->file) || is_bad;
  stream->file = NULL;
  return is_bad ? RX_FAIL(RX_ERR_MEMORY, "report: no memory for the page") : RX_OK;
}

static void destroy_stream(rx_page_stream *stream) {
  if (stream->file) fclose(stream->file);
  free(stream->text);
  *stream = (rx_page_stream){NULL, NULL, 0};
}

/* ---- making ---- */

static rx_status make_folders(rx_page *page) {
  char figures[RX_PATH_SIZE];

  RX_TRY(rx_job_path(page->job, "report", page->folder, sizeof page->folder));
  RX_TRY(rx_path_join(page->folder, "figures", figures, sizeof figures));
  RX_TRY(rx_output_folder(figures));
  return rx_figures_create(figures, &page->figures);
}

rx_status rx_page_create(const rx_job *job, rx_page **out) {
  RX_TRY(RX_NEW(out, "report", 1));
  rx_page *page = *out;
  page->job = job;
  rx_status status = make_folders(page);
  if (!status) status = open_stream(&page->summary);
  if (!status) status = open_stream(&page->contents);
  if (!status) status = open_stream(&page->body);
  if (!status) status = open_stream(&page->data);
  page->out = page->body.file;
  if (status) rx_page_destroy(out);
  return status;
}

void rx_page_destroy(rx_page **page) {
  if (!*page) return;
  destroy_stream(&(*page)->summary);
  destroy_stream(&(*page)->contents);
  destroy_stream(&(*page)->body);
  destroy_stream(&(*page)->data);
  rx_figures_destroy(&(*page)->figures);
  rx_study_destroy(&(*page)->study);
  free((*page)->mean_image);
  free(*page);
  *page = NULL;
}

/* ---- parts ---- */

void rx_page_section(rx_page *page, const char *id, const char *title) {
  if (page->n_sections++) fputs("</section>\n", page->out);
  rx_html_print(page->out, "<section id=\"%s\"><h2>%s</h2>\n", id, title);
  rx_html_print(page->contents.file, "<li><a href=\"#%s\">%s</a></li>", id, title);
}

void rx_page_absent(rx_page *page, const char *what, rx_study_file file) {
  rx_html_print(page->out,
                "<p class=\"absent\">%s: absent. There is no <code>%s</code> in the folder of the "
                "study; <code>radmix %s</code> makes it.</p>\n",
                what, rx_study_name(file), rx_study_command(file));
}

void rx_page_figure(rx_page *page, size_t index, const char *title) {
  const char *name = page->figures.names[index];
  int width = page->figures.widths[index];

  page->n_figures++;
  page->open_figure = index;
  fprintf(
      page->out,
      "<figure id=\"%s\"><div class=\"drawing\" style=\"--w:%dpx;max-width:%dpx\">%c%zu%c</div>\n"
      "<figcaption><b>Figure %d. ",
      name, width, width, MARK, index, MARK, page->n_figures);
  rx_html_text(page->out, title);
  fputs(".</b> ", page->out);
}

void rx_page_figure_end(rx_page *page) {
  const char *name = page->figures.names[page->open_figure];
  static const char *const endings[] = {"svg", "pdf", "gp", "dat"};
  static const char *const words[] = {"SVG", "PDF", "script", "data"};

  fputs(" <span class=\"files\">", page->out);
  for (int e = 0; e < 4; e++)
    fprintf(page->out, "<a href=\"figures/%s.%s\">%s</a> ", name, endings[e], words[e]);
  fputs("</span></figcaption></figure>\n", page->out);
}

FILE *rx_page_fact(rx_page *page, const char *question) {
  rx_html_print(page->summary.file, "<div><dt>%s</dt><dd>", question);
  return page->summary.file;
}

void rx_page_fact_end(rx_page *page) {
  fputs("</dd></div>\n", page->summary.file);
}

/* ---- values under the pointer ---- */

/* A string of JSON that is safe within <script>. */
static void put_json_text(FILE *out, const char *text) {
  char clean[512];

  rx_html_short(text, 100, clean, sizeof clean);
  fputc('"', out);
  for (const char *c = clean; *c; c++) {
    if (strchr("\"\\<>&", *c))
      fprintf(out, "\\u%04x", (unsigned)*c);
    else
      fputc(*c, out);
  }
  fputc('"', out);
}

static void put_json_texts(FILE *out, const char *name, size_t n, const char *const *texts) {
  fprintf(out, ",\"%s\":[", name);
  for (size_t i = 0; i < n; i++) {
    if (i) fputc(',', out);
    put_json_text(out, texts[i]);
  }
  fputc(']', out);
}

static void put_hover(rx_page *page, size_t figure, int image, const char *unit) {
  FILE *out = page->data.file;

  fprintf(out, "%s\n{\"figure\":\"%s\",\"image\":%d,\"unit\":", page->n_hovers++ ? "," : "",
          page->figures.names[figure], image);
  put_json_text(out, unit);
}

static void put_values(FILE *out, size_t n, const double *values) {
  fputs(",\"values\":[", out);
  for (size_t i = 0; i < n; i++) {
    if (i) fputc(',', out);
    if (isfinite(values[i]) && fabs(values[i]) < 1e20)
      fprintf(out, "%.3g", values[i]);
    else
      fputs("null", out);
  }
  fputs("]}", out);
}

void rx_page_hover(rx_page *page, size_t figure, int image, const char *unit, size_t n_rows,
                   const char *const *rows, size_t n_columns, const char *const *columns,
                   const double *values) {
  put_hover(page, figure, image, unit);
  put_json_texts(page->data.file, "rows", n_rows, rows);
  put_json_texts(page->data.file, "columns", n_columns, columns);
  put_values(page->data.file, n_rows * n_columns, values);
}

void rx_page_hover_tiles(rx_page *page, size_t figure, int image, const char *unit,
                         const rx_tiles *tiles) {
  put_hover(page, figure, image, unit);
  fprintf(page->data.file, ",\"tiles\":[%zu,%zu,%zu,%zu,%zu,%zu]", tiles->height, tiles->width,
          tiles->gap, tiles->n_columns, tiles->total_height, tiles->total_width);
  put_values(page->data.file, tiles->total_height * tiles->total_width, tiles->values);
}

/* ---- writing ---- */

static void put_lines(const char *const *lines, FILE *out) {
  for (; *lines; lines++) fprintf(out, "%s\n", *lines);
}

static void put_head(const rx_page *page, const char *id, FILE *out) {
  char folder[RX_PATH_SIZE];
  const char *name = page->job->config->study_directory;

  if (!rx_path_absolute(name, folder, sizeof folder)) name = rx_path_name(folder);
  fputs(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
      out);
  rx_html_print(out, "<meta name=\"radmix-id\" content=\"%s\">\n", id);
  rx_html_print(out, "<link rel=\"icon\" href=\"data:,\">\n<title>radmix: %s</title>\n<style>\n",
                name);
  put_lines(rx_page_style, out);
  rx_html_print(out,
                "</style></head>\n<body><header><h1>Imaging features and genes: %s</h1>\n"
                "<p>Report of radmix %s. ",
                name, RADMIX_VERSION);
  fputs(
      "Every number comes from the files of the study; every figure stands with its data in "
      "<code>figures/</code>.</p></header>\n",
      out);
}

/* Copies the body, with the figures in their places. */
static rx_status put_body(const rx_page *page, FILE *out) {
  const char *text = page->body.text, *end = text + page->body.size;

  while (text < end) {
    const char *mark = memchr(text, MARK, (size_t)(end - text));
    fwrite(text, 1, (size_t)((mark ? mark : end) - text), out);
    if (!mark) break;
    size_t index = (size_t)strtoumax(mark + 1, NULL, 10);
    if (page->figures.are_drawn)
      RX_TRY(rx_figure_inline(&page->figures, index, out));
    else
      fputs("<p class=\"absent\">not drawn: gnuplot (package gnuplot-nox) was not there</p>", out);
    text = strchr(mark + 1, MARK) + 1;
  }
  return RX_OK;
}

static rx_status put_page(const rx_page *page, const char *id, FILE *out) {
  put_head(page, id, out);
  fputs("<section id=\"summary\"><h2>Summary</h2><dl>\n", out);
  fwrite(page->summary.text, 1, page->summary.size, out);
  fputs("</dl></section>\n<nav aria-label=\"Contents\"><ol>", out);
  fwrite(page->contents.text, 1, page->contents.size, out);
  fputs("</ol></nav>\n<main>\n", out);
  RX_TRY(put_body(page, out));
  if (page->n_sections) fputs("</section>\n", out);
  fputs("</main>\n<script type=\"application/json\" id=\"hover\">[", out);
  fwrite(page->data.text, 1, page->data.size, out);
  fputs("]</script>\n<script>\n", out);
  put_lines(rx_page_script, out);
  fputs("</script></body></html>\n", out);
  return RX_OK;
}

rx_status rx_page_write(rx_page *page, const char *path, const char *id) {
  FILE *out;

  rx_status status = close_stream(&page->summary);
  if (!status) status = close_stream(&page->contents);
  if (!status) status = close_stream(&page->body);
  if (!status) status = close_stream(&page->data);
  if (!status) status = rx_output_open(path, &out);
  if (status) return status;
  return rx_output_close(path, &out, put_page(page, id, out));
}
