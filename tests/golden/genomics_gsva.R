# Small reference scores of Bioconductor GSVA 1.46 (Debian r-bioc-gsva), as a C header.
#
#     Rscript tests/golden/genomics_gsva.R > tests/golden/genomics_gsva.h
suppressMessages(library(GSVA))
set.seed(46)
p <- 24L
n <- 6L
X <- runif(p, 0, 12) + matrix(rt(p * n, df = 3), p, n)
X[5:9, ] <- round(X[5:9, ])
X[10, ] <- pmax(X[10, ], median(X[10, ]))
X[11, 3] <- 40
dimnames(X) <- list(sprintf("g%02d", 1:p), sprintf("P%d", 1:n))
members <- list(c(1, 2, 3, 4, 5), c(5, 6, 7, 8, 9, 10, 11), c(24, 3, 17, 12), 13, 1:20)
sets <- setNames(lapply(members, function(m) rownames(X)[m]), paste0("S", seq_along(members)))
score <- function(...) {
  capture.output(r <- suppressWarnings(suppressMessages(gsva(X, sets, verbose = FALSE, parallel.sz = 1L, ...))))
  r
}
print_array <- function(name, shape, M) {
  cat(sprintf("static const double %s%s = {\n", name, shape))
  for (i in seq_len(nrow(M))) cat("    {", paste(sprintf("%.17g", M[i, ]), collapse = ", "), "},\n", sep = "")
  cat("};\n")
}
cat("/* Made by genomics_gsva.R with GSVA", as.character(packageVersion("GSVA")), "and",
    R.version.string, "*/\n/* clang-format off */\n")
cat(sprintf("enum { GOLDEN_GENES = %d, GOLDEN_SAMPLES = %d, GOLDEN_SETS = %d };\n", p, n, length(sets)))
cat("static const int golden_sizes[GOLDEN_SETS] = {", paste(lengths(members), collapse = ", "), "};\n", sep = "")
cat("static const int golden_members[] = {", paste(unlist(members) - 1, collapse = ", "), "};\n", sep = "")
print_array("golden_expression", "[GOLDEN_GENES][GOLDEN_SAMPLES]", X)
shape <- "[GOLDEN_SETS][GOLDEN_SAMPLES]"
print_array("golden_gsva", shape, score(method = "gsva"))
print_array("golden_larger", shape, score(method = "gsva", mx.diff = FALSE))
print_array("golden_absolute", shape, score(method = "gsva", abs.ranking = TRUE))
print_array("golden_steps", shape, score(method = "gsva", kcdf = "none"))
print_array("golden_ssgsea", shape, score(method = "ssgsea", ssgsea.norm = FALSE))
print_array("golden_zscore", shape, score(method = "zscore"))
cat("/* clang-format on */\n")
