# Random expression matrices and gene sets with the edges in them (ties, constants, outliers, sets of one
# gene, of nearly all genes, of none), and what GSVA makes of them. Usage: Rscript gsva.R SEED FOLDER
suppressMessages(library(GSVA))
arguments <- commandArgs(TRUE)
seed <- as.integer(arguments[1])
out <- arguments[2]
set.seed(seed)
p <- sample(20:300, 1)
n <- sample(3:40, 1)
genes <- sprintf("g%03d", seq_len(p))
patients <- sprintf("P%02d", seq_len(n))
X <- runif(p, 0, 12) + matrix(rt(p * n, df = 3), p, n)
tied <- sample(p, p %/% 3)
X[tied, ] <- round(X[tied, ])
low <- sample(p, p %/% 10)
X[low, ] <- pmax(X[low, ], median(X[low, ]))
X[sample(p, 3), ] <- 3.25
X[sample(p, 2), sample(n, 1)] <- 60
dimnames(X) <- list(genes, patients)
counts <- matrix(rnbinom(p * n, mu = rep(2^runif(p, 0, 8), n), size = 2), p, n, dimnames = dimnames(X))
counts[sample(p, 2), ] <- 7L

write_matrix <- function(M, name, id) {
  file <- file(file.path(out, name), "w")
  writeLines(paste(c(id, colnames(M)), collapse = "\t"), file)
  for (i in seq_len(nrow(M)))
    writeLines(paste(c(rownames(M)[i], sprintf("%.17g", M[i, ])), collapse = "\t"), file)
  close(file)
}
write_matrix(X, "expr.tsv", "gene")
write_matrix(counts, "counts.tsv", "gene")
X <- as.matrix(read.delim(file.path(out, "expr.tsv"), row.names = 1, check.names = FALSE))

sets <- list()
for (k in 1:8) sets[[sprintf("SET%02d", k)]] <- sample(genes, sample(2:max(3, p %/% 4), 1))
sets$ONE <- sample(genes, 1)
sets$OTHER <- c(sample(genes, 1), "absent")
sets$NEARLY <- sample(genes, p - 5)
sets$NONE <- c("absent1", "absent2")
writeLines(mapply(function(name, set) paste(c(name, "na", set), collapse = "\t"), names(sets), sets),
           file.path(out, "sets.gmt"))

score <- function(name, M, ...) {
  capture.output(r <- suppressWarnings(suppressMessages(gsva(M, sets, verbose = FALSE, parallel.sz = 1L, ...))))
  write_matrix(r, paste0(name, ".tsv"), "set")
}
score("gsva", X, method = "gsva")
score("mx_diff", X, method = "gsva", mx.diff = FALSE)
score("abs_ranking", X, method = "gsva", abs.ranking = TRUE)
score("tau", X, method = "gsva", tau = 0.5)
score("none", X, method = "gsva", kcdf = "none")
score("poisson", counts, method = "gsva", kcdf = "Poisson")
score("sizes", X, method = "gsva", min.sz = 3, max.sz = 20)
score("ssgsea", X, method = "ssgsea")
score("ssgsea_plain", X, method = "ssgsea", ssgsea.norm = FALSE)
score("zscore", X, method = "zscore")
score("plage", X, method = "plage")
