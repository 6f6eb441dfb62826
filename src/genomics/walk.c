#include "walk.h"

#include <math.h>
#include <stdlib.h>

#include "radmix/memory.h"

/* Turns sets of genes round: the sets of each gene, in their order. */
static void index_genes(rx_walk *walk) {
  const rx_sets *sets = walk->sets;
  size_t n_members = sets->first[sets->n_sets];

  for (size_t i = 0; i < n_members; i++) walk->first_of[sets->gene[i] + 1]++;
  for (size_t gene = 0; gene < walk->n_genes; gene++)
    walk->first_of[gene + 1] += walk->first_of[gene];
  for (size_t set = sets->n_sets; set-- > 0;)
    for (size_t i = sets->first[set]; i < sets->first[set + 1]; i++)
      walk->set_of[--walk->first_of[sets->gene[i] + 1]] = (int)set;
  /* each first_of[gene + 1] has moved down to where gene begins: shift by one */
  for (size_t gene = 0; gene < walk->n_genes; gene++)
    walk->first_of[gene] = walk->first_of[gene + 1];
  walk->first_of[walk->n_genes] = n_members;
}

rx_status rx_walk_create(size_t n_genes, const rx_sets *sets, const rx_walk_options *options,
                         rx_walk *walk) {
  size_t n_members = sets->first[sets->n_sets];

  *walk = (rx_walk){.n_genes = n_genes, .sets = sets, .options = *options};
  rx_status status = RX_NEW(&walk->step, "gene set scores", n_genes);
  if (!status) status = RX_NEW(&walk->first_of, "gene set scores", n_genes + 1);
  if (!status) status = RX_NEW(&walk->set_of, "gene set scores", n_members);
  if (!status) status = RX_NEW(&walk->order, "gene set scores", n_genes);
  if (!status) status = RX_NEW(&walk->place, "gene set scores", n_members);
  if (!status) status = RX_NEW(&walk->filled, "gene set scores", sets->n_sets);
  if (!status) status = RX_NEW(&walk->rank, "gene set scores", n_genes);
  if (!status) status = rx_order_space_create(n_genes, &walk->sorting);
  if (status) {
    rx_walk_destroy(walk);
    return status;
  }
  index_genes(walk);
  for (size_t place = 0; place < n_genes; place++)
    walk->step[place] = pow(fabs((double)(n_genes - place) - (double)n_genes / 2.0), options->tau);
  return RX_OK;
}

void rx_walk_destroy(rx_walk *walk) {
  free(walk->step);
  free(walk->first_of);
  free(walk->set_of);
  free(walk->order);
  free(walk->place);
  free(walk->filled);
  free(walk->rank);
  rx_order_space_destroy(&walk->sorting);
  *walk = (rx_walk){0};
}

/* Sorts the genes, and with them the genes of every set: one pass from the top that hands each
 * place to the sets of its gene. */
static void find_places(rx_walk *walk, const double *value) {
  const rx_sets *sets = walk->sets;

  rx_order_descending(walk->order, value, walk->n_genes, &walk->sorting);
  for (size_t set = 0; set < sets->n_sets; set++) walk->filled[set] = sets->first[set];
  for (size_t place = 0; place < walk->n_genes; place++) {
    size_t gene = (size_t)walk->order[place];

    for (size_t i = walk->first_of[gene]; i < walk->first_of[gene + 1]; i++)
      walk->place[walk->filled[walk->set_of[i]]++] = (int)place;
  }
}

/* The two extremes of a walk. It can only be lowest just before a step up, and highest after it.
 * A lone gene in the middle has a step of 0 of 0: then, as in R, only the way down to it counts. */
static double walk_set(const rx_walk *walk, const int *place, size_t n_members) {
  double total = 0, inside = 0, highest = 0, lowest = 0;
  double down = walk->n_genes > n_members ? 1.0 / (double)(walk->n_genes - n_members) : 0;

  for (size_t i = 0; i < n_members; i++) total += walk->step[place[i]];
  for (size_t i = 0; i < n_members; i++) {
    double outside = (double)((size_t)place[i] - i) * down;
    double before = (inside > 0 ? inside / total : 0) - outside;

    inside += walk->step[place[i]];
    double after = inside / total - outside;
    if (before < lowest) lowest = before;
    if (after > highest) highest = after;
  }
  if (walk->options.is_difference)
    return walk->options.is_absolute ? highest - lowest : highest + lowest;
  return highest > fabs(lowest) ? highest : lowest;
}

void rx_walk_gsva(double *score, const double *density, rx_walk *walk) {
  const rx_sets *sets = walk->sets;

  find_places(walk, density);
  for (size_t set = 0; set < sets->n_sets; set++)
    score[set] =
        walk_set(walk, walk->place + sets->first[set], sets->first[set + 1] - sets->first[set]);
}

/* Mean height of the steps inside less that of those outside, each counted from below. */
static double sum_set(const rx_walk *walk, const int *place, size_t n_members) {
  double n = (double)walk->n_genes;
  double weight = 0, weighted = 0, heights = 0;

  for (size_t i = 0; i < n_members; i++) {
    double height = n - place[i];
    double rank = walk->rank[walk->order[place[i]]];

    weight += rank;
    weighted += rank * height;
    heights += height;
  }
  return weighted / weight - (n * (n + 1) / 2 - heights) / (n - (double)n_members);
}

void rx_walk_ssgsea(double *score, const double *value, rx_walk *walk) {
  const rx_sets *sets = walk->sets;

  find_places(walk, value);
  rx_order_ranks(walk->rank, walk->order, value, walk->n_genes);
  for (size_t gene = 0; gene < walk->n_genes; gene++)
    walk->rank[gene] = pow(floor(walk->rank[gene]), walk->options.tau);
  for (size_t set = 0; set < sets->n_sets; set++)
    score[set] =
        sum_set(walk, walk->place + sets->first[set], sets->first[set + 1] - sets->first[set]);
}

void rx_walk_curve(double *curve, int *gene, const double *density, size_t set, rx_walk *walk) {
  size_t first = walk->sets->first[set], n_members = walk->sets->first[set + 1] - first;
  double total = 0, inside = 0;
  size_t seen = 0;

  find_places(walk, density);
  const int *member = walk->place + first;
  for (size_t i = 0; i < n_members; i++) total += walk->step[member[i]];
  for (size_t place = 0; place < walk->n_genes; place++) {
    if (seen < n_members && (size_t)member[seen] == place) {
      inside += walk->step[place];
      seen++;
    }
    size_t outside = place + 1 - seen;
    curve[place] = (inside > 0 ? inside / total : 0) -
                   (outside ? (double)outside / (double)(walk->n_genes - n_members) : 0);
    gene[place] = walk->order[place];
  }
}
