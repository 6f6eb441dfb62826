#!/usr/bin/env Rscript
# Confirms the planted partial R^2 of a simulated cohort from its tables alone.
#
#     Rscript partial_r2.R SIMULATED EFFECT
#
# For each planted gene: the partial R^2 of its log2(count + 1) in the property it changes, given age,
# from two linear models. For the confounded gene: that age explains it. Exit code 1 when one is wrong.
arguments <- commandArgs(TRUE)
folder <- arguments[1]
effect <- as.numeric(arguments[2])
read <- function(name) read.delim(file.path(folder, name), check.names = FALSE)
truth <- read("truth.tsv")
clinical <- read("clinical.tsv")
properties <- read("properties.tsv")
counts <- read("expression.tsv")
expression <- log2(t(as.matrix(counts[, clinical$patient])) + 1)
colnames(expression) <- counts$gene
properties <- properties[match(clinical$patient, properties$patient), ]

residual <- function(...) sum(resid(lm(...))^2)
bad <- 0
for (row in which(truth$role == "planted")) {
  y <- properties[[truth$property[row]]]
  x <- expression[, truth$gene[row]]
  r2 <- 1 - residual(y ~ x + clinical$age) / residual(y ~ clinical$age)
  right <- abs(r2 - effect) < 1e-9
  bad <- bad + !right
  cat(sprintf("%s %-18s partial R^2 %.9f %s\n", truth$gene[row], truth$property[row], r2,
              if (right) "as stated" else "WRONG"))
}
row <- which(truth$role == "confounded")
x <- expression[, truth$gene[row]]
y <- properties[[truth$property[row]]]
cat(sprintf("%s %-18s confounded: R^2 %.3f alone, %.3f given age\n", truth$gene[row],
            truth$property[row], cor(x, y)^2,
            1 - residual(y ~ x + clinical$age) / residual(y ~ clinical$age)))
quit(status = as.integer(bad > 0 || nrow(truth) == 0))
