# Makes association_adjust.h: p values with ties and tiny ones, and their q by R's own p.adjust.
# usage: Rscript association_adjust.R > association_adjust.h   (R 4.2.2)
set.seed(4)
p <- c(runif(40), 10^-runif(20, 2, 9), 1e-300, 3e-17, rep(0.02, 5), 1, 1, 0.5)
p <- sample(p)
show <- function(name, x)
  cat("static const double ", name, "[] = {\n", paste0("    ", sprintf("%.17g", x), ",", collapse = "\n"),
      "};\n", sep = "")
cat("/* Made by association_adjust.R. */\n")
show("golden_p", p)
show("golden_bh", p.adjust(p, "BH"))
show("golden_by", p.adjust(p, "BY"))
show("golden_bonferroni", p.adjust(p, "bonferroni"))
pi0 <- min(1, (sum(p > 0.5) + 1) / (length(p) / 2))
show("golden_storey", pmin(1, pi0 * { # p.adjust(BH) cuts at 1 before pi0 would
  o <- order(p, decreasing = TRUE); n <- length(p)
  cummin(n / (n:1) * p[o])[order(o)] }))
