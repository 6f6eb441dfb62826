# Seconds that nlme and lme4 take for one model of slice ~ factor + (1 | patient) at the paper's size.
# Usage: Rscript bench_associate.R FITS
set.seed(1)
n_patients <- 110
rows <- round(475 * exp(rnorm(n_patients, 0, 0.3)))
patient <- factor(rep(seq_len(n_patients), rows))
seconds <- function(package, fit) {
  if (!requireNamespace(package, quietly = TRUE)) return(cat(package, "is not installed\n"))
  for (i in seq_len(as.integer(commandArgs(TRUE)[1]) + 1)) {
    d <- data.frame(patient, g = rnorm(n_patients)[patient])
    d$y <- rnorm(n_patients)[patient] / 2 + rnorm(nrow(d))
    if (i == 2) begin <- proc.time()[3] # the first one loads the package
    fit(d)
  }
  cat(sprintf("%s %.4f s a fit on %d rows\n", package, (proc.time()[3] - begin) / (i - 1), nrow(d)))
}
seconds("nlme", function(d) nlme::lme(y ~ g, random = ~ 1 | patient, data = d))
seconds("lme4", function(d) lme4::lmer(y ~ g + (1 | patient), d))
