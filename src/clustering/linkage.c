#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "radmix/clustering.h"
#include "radmix/error.h"
#include "radmix/memory.h"

/* Two clusters, named by one point of each, and the height where they join. */
typedef struct {
  size_t a, b, step;
  double height;
} join;

typedef struct {
  size_t n;
  double *distances; /* [n][n], between the clusters that are left, each in the row of a point */
  double *size;      /* [n], points of the cluster; 0: no cluster in this row any more */
  double *low;       /* [n], height of the cluster's own join */
  size_t *chain;     /* [n] */
  bool *is_in_chain; /* [n] */
  join *joins;       /* [n-1] */
} chain_work;

static void destroy_work(chain_work *work) {
  free(work->size);
  free(work->low);
  free(work->chain);
  free(work->is_in_chain);
  free(work->joins);
}

static rx_status create_work(double *distances, size_t n, chain_work *work) {
  *work = (chain_work){.n = n, .distances = distances};
  rx_status status = RX_NEW(&work->size, "clusters", n);
  if (!status) status = RX_NEW(&work->low, "clusters", n);
  if (!status) status = RX_NEW(&work->chain, "clusters", n);
  if (!status) status = RX_NEW(&work->is_in_chain, "clusters", n);
  if (!status) status = RX_NEW(&work->joins, "clusters", n);
  for (size_t i = 0; i < n && !status; i++) work->size[i] = 1;
  return status;
}

/* The nearest cluster; of several the one that came before in the chain, or the first. */
static size_t find_nearest(const chain_work *work, size_t cluster, size_t before) {
  const double *row = work->distances + cluster * work->n;
  size_t nearest = before;
  double least = before < work->n ? row[before] : INFINITY;

  for (size_t i = 0; i < work->n; i++)
    if (row[i] < least && work->size[i] > 0 && i != cluster) {
      least = row[i];
      nearest = i;
    }
  if (nearest < work->n) return nearest;
  for (nearest = 0; work->size[nearest] <= 0 || nearest == cluster;) nearest++;
  return nearest;
}

/* Lance and Williams: the distance of cluster k to a and b together. */
static double update(rx_linkage_method method, double ak, double bk, double ab, double size_a,
                     double size_b, double size_k) {
  switch (method) {
    case RX_SINGLE:
      return ak < bk ? ak : bk;
    case RX_COMPLETE:
      return ak > bk ? ak : bk;
    case RX_AVERAGE:
      return (size_a * ak + size_b * bk) / (size_a + size_b);
    default:
      return ((size_a + size_k) * ak + (size_b + size_k) * bk - size_k * ab) /
             (size_a + size_b + size_k);
  }
}

/* Puts a and b together in the row of a. */
static void join_clusters(chain_work *work, rx_linkage_method method, size_t a, size_t b) {
  size_t n = work->n;
  double *row_a = work->distances + a * n, *row_b = work->distances + b * n, ab = row_a[b];

  for (size_t k = 0; k < n; k++) {
    if (work->size[k] <= 0 || k == a || k == b) continue;
    row_a[k] = update(method, row_a[k], row_b[k], ab, work->size[a], work->size[b], work->size[k]);
    work->distances[k * n + a] = row_a[k];
  }
  work->size[a] += work->size[b];
  work->size[b] = 0;
}

static void extend_chain(chain_work *work, size_t *length, size_t cluster) {
  work->chain[(*length)++] = cluster;
  work->is_in_chain[cluster] = true;
}

/* Goes from nearest neighbour to nearest neighbour until two are each other's. An earlier member of
 * the chain can be the nearest by rounding only: then the last two are as near. */
static void follow_chain(chain_work *work, size_t *length) {
  for (;;) {
    size_t last = work->chain[*length - 1];
    size_t before = *length > 1 ? work->chain[*length - 2] : work->n;
    size_t nearest = find_nearest(work, last, before);
    if (nearest == before || work->is_in_chain[nearest]) return;
    extend_chain(work, length, nearest);
  }
}

/* Joins the end of the chain, and goes on from what is left of it. A join is never below those it
 * is made of: only rounding could put it there. */
static void run_chain(chain_work *work, rx_linkage_method method) {
  size_t length = 0, start = 0;

  for (size_t step = 0; step + 1 < work->n; step++) {
    if (!length) {
      while (work->size[start] <= 0) start++;
      extend_chain(work, &length, start);
    }
    follow_chain(work, &length);
    size_t a = work->chain[length - 1], b = work->chain[length - 2];
    double height = work->distances[a * work->n + b];
    height = fmax(height, fmax(work->low[a], work->low[b]));
    work->joins[step] = (join){a, b, step, height};
    work->low[a] = height;
    join_clusters(work, method, a, b);
    work->is_in_chain[a] = work->is_in_chain[b] = false;
    length -= 2;
  }
}

static int compare_joins(const void *left, const void *right) {
  const join *a = left, *b = right;

  if (a->height < b->height) return -1;
  if (a->height > b->height) return 1;
  return a->step < b->step ? -1 : 1;
}

static size_t find_root(size_t *parent, size_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

/* As hclust() writes a merge: points before merges, then the lower number first. */
static void write_merge(int32_t *merge, int32_t a, int32_t b) {
  bool is_turned = a < 0 && b < 0 ? a < b : a > b;

  merge[0] = is_turned ? b : a;
  merge[1] = is_turned ? a : b;
}

/* Numbers the merges from low to high. */
static rx_status number_merges(chain_work *work, rx_linkage *linkage) {
  size_t n = work->n, *parent;
  int32_t *name;

  RX_TRY(RX_NEW(&parent, "clusters", n));
  rx_status status = RX_NEW(&name, "clusters", n);
  if (status) {
    free(parent);
    return status;
  }
  for (size_t i = 0; i < n; i++) {
    parent[i] = i;
    name[i] = -(int32_t)(i + 1);
  }
  qsort(work->joins, n - 1, sizeof *work->joins, compare_joins);
  for (size_t step = 0; step + 1 < n; step++) {
    size_t a = find_root(parent, work->joins[step].a), b = find_root(parent, work->joins[step].b);
    write_merge(linkage->merge + 2 * step, name[a], name[b]);
    linkage->height[step] = work->joins[step].height;
    parent[b] = a;
    name[a] = (int32_t)(step + 1);
  }
  free(name);
  free(parent);
  return RX_OK;
}

/* Lists the points from left to right. */
static rx_status list_order(rx_linkage *linkage) {
  size_t n = linkage->n, depth = 0, length = 0;
  int32_t *stack;

  RX_TRY(RX_NEW(&stack, "clusters", n + 1));
  stack[depth++] = n > 1 ? (int32_t)(n - 1) : -1;
  while (depth) {
    int32_t top = stack[--depth];
    if (top < 0) {
      linkage->order[length++] = -top;
      continue;
    }
    const int32_t *merge = linkage->merge + 2 * (top - 1);
    stack[depth++] = merge[1];
    stack[depth++] = merge[0];
  }
  free(stack);
  return RX_OK;
}

static rx_status allocate(size_t n, rx_linkage **out) {
  RX_TRY(RX_NEW(out, "linkage", 1));
  (*out)->n = n;
  rx_status status = RX_NEW(&(*out)->merge, "linkage", 2 * (n - 1));
  if (!status) status = RX_NEW(&(*out)->height, "linkage", n - 1);
  if (!status) status = RX_NEW(&(*out)->order, "linkage", n);
  return status;
}

rx_status rx_linkage_create(double *distances, size_t n, rx_linkage_method method,
                            rx_linkage **out) {
  chain_work work = {0};

  *out = NULL;
  rx_status status = create_work(distances, n, &work);
  if (!status) status = allocate(n, out);
  if (!status) {
    if (method == RX_WARD_D2)
      for (size_t i = 0; i < n * n; i++) distances[i] *= distances[i];
    run_chain(&work, method);
    status = number_merges(&work, *out);
  }
  if (!status && method == RX_WARD_D2)
    for (size_t i = 0; i + 1 < n; i++) (*out)->height[i] = sqrt((*out)->height[i]);
  if (!status) status = list_order(*out);
  destroy_work(&work);
  if (status) rx_linkage_destroy(out);
  return status;
}

void rx_linkage_destroy(rx_linkage **linkage) {
  if (!*linkage) return;
  free((*linkage)->merge);
  free((*linkage)->height);
  free((*linkage)->order);
  free(*linkage);
  *linkage = NULL;
}

/* Applies the first n_merges merges and labels what they join. */
static rx_status cut(const rx_linkage *linkage, size_t n_merges, int *labels, size_t *n_clusters) {
  size_t n = linkage->n, *parent, *first;

  RX_TRY(RX_NEW(&parent, "clusters", 2 * n));
  first = parent + n; /* [n_merges], a point of each merge */
  for (size_t i = 0; i < n; i++) parent[i] = i;
  for (size_t step = 0; step < n_merges; step++) {
    size_t roots[2];
    for (int side = 0; side < 2; side++) {
      int32_t branch = linkage->merge[2 * step + (size_t)side];
      roots[side] = find_root(parent, branch < 0 ? (size_t)-branch - 1 : first[branch - 1]);
    }
    /* The lower point stays the root, so that a root is the first point of its cluster. */
    size_t low = roots[0] < roots[1] ? roots[0] : roots[1];
    parent[roots[0]] = parent[roots[1]] = first[step] = low;
  }
  *n_clusters = 0;
  for (size_t i = 0; i < n; i++) {
    size_t root = find_root(parent, i);
    labels[i] = root == i ? (int)(*n_clusters)++ : labels[root];
  }
  free(parent);
  return RX_OK;
}

rx_status rx_linkage_cut(const rx_linkage *linkage, size_t n_clusters, int *labels,
                         size_t *n_found) {
  size_t n_merges = n_clusters < linkage->n ? linkage->n - n_clusters : 0;

  return cut(linkage, n_merges, labels, n_found);
}

rx_status rx_linkage_cut_height(const rx_linkage *linkage, double height, int *labels,
                                size_t *n_found) {
  size_t n_merges = 0;

  while (n_merges + 1 < linkage->n && linkage->height[n_merges] <= height) n_merges++;
  return cut(linkage, n_merges, labels, n_found);
}
