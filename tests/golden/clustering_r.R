# Writes clustering_r.h: hclust, cutree, silhouette, prcomp, kmeans, Rtsne's P and tests of R.
# Usage: Rscript clustering_r.R > clustering_r.h        (Debian: r-base-core, r-cran-cluster)
suppressMessages(library(cluster))
RNGkind("Mersenne-Twister", "Inversion", "Rejection"); set.seed(7)
numbers <- function(type, name, x) cat(sprintf("static const %s %s[] = {%s};\n", type, name,
  paste(sprintf(if (type == "double") "%.17g" else "%d", x), collapse = ", ")))
cat(sprintf("/* Made by clustering_r.R, %s, cluster %s. */\n/* clang-format off */\n",
            R.version.string, packageVersion("cluster")))
n <- 13L; p <- 5L
x <- matrix(round(rnorm(n * p), 3), n, p); x[1:5, ] <- x[1:5, ] + 2; x[6:8, 1] <- x[6:8, 1] - 3
cat(sprintf("enum { R_POINTS = %d, R_DIMS = %d };\n", n, p))
numbers("double", "r_points", t(x))
D <- dist(x)
for (m in c("ward.D2", "ward.D", "average", "complete", "single")) {
  h <- hclust(D, m); id <- sub(".", "_", tolower(m), fixed = TRUE)
  numbers("int", paste0("r_merge_", id), t(h$merge)); numbers("double", paste0("r_height_", id), h$height)
  numbers("int", paste0("r_order_", id), h$order) }
h <- hclust(as.dist(1 - cor(t(x))), "average")
numbers("int", "r_merge_correlation", t(h$merge)); numbers("double", "r_height_correlation", h$height)
h <- hclust(D, "ward.D2")
for (k in c(1, 2, 4, 13)) numbers("int", sprintf("r_cut_%d", k), cutree(h, k = k))
numbers("double", "r_cut_height", h$height[7]); numbers("int", "r_cut_at_height", cutree(h, h = h$height[7]))
s <- silhouette(cutree(h, k = 4), D); numbers("double", "r_silhouette_4", s[, "sil_width"])
# a 4 x 3 table and values with ties
a <- c(1,1,1,1,1,2,2,2,2,3,3,3,3,3,3,4,4,4,4,4); b <- c(1,1,1,2,1,2,2,3,2,3,3,1,3,3,3,1,2,1,3,2)
v <- c(3,1,2,2,5,6,7,7,4,8,8,9,3,9,9,1,2,5,5,4)
numbers("int", "r_labels_a", a - 1L); numbers("int", "r_labels_b", b - 1L); numbers("double", "r_values", v)
q <- suppressWarnings(chisq.test(table(a, b), correct = FALSE)); f <- fisher.test(table(a, b))
kw <- kruskal.test(v, factor(a)); an <- anova(lm(v ~ factor(a)))
numbers("double", "r_chi_square", c(q$statistic, q$p.value)); numbers("double", "r_fisher", f$p.value)
numbers("double", "r_kruskal", c(kw$statistic, kw$p.value)); numbers("double", "r_anova", c(an$F[1], an$`Pr(>F)`[1]))
tb <- table(a, b); c2 <- function(v) sum(v * (v - 1) / 2); e <- c2(rowSums(tb)) * c2(colSums(tb)) / c2(20)
numbers("double", "r_rand", (c2(tb) - e) / ((c2(rowSums(tb)) + c2(colSums(tb))) / 2 - e))
