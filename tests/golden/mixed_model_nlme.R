# Makes mixed_model_nlme.h: three models of nlme, fitted to the last digits that it gives.
# usage: Rscript mixed_model_nlme.R > mixed_model_nlme.h   (R 4.2.2, nlme 3.1-162)
suppressMessages(library(nlme))
set.seed(11)
show <- function(name, x, form = "%.17g", type = "double")
  cat("static const ", type, " ", name, "[] = {\n", paste0("    ", sprintf(form, x), ",", collapse = "\n"),
      "};\n", sep = "")
model <- function(name, rows, sigma_u, effect, offset) {
  group <- rep(seq_along(rows), rows)
  x <- round(rnorm(length(rows)), 3)[group]
  y <- round(offset + effect * x + rnorm(length(rows), 0, sigma_u)[group] + rnorm(length(group)), 6)
  fit <- lme(y ~ x, random = ~ 1 | group, control = lmeControl(msTol = 1e-12, tolerance = 1e-12,
    niterEM = 200, msMaxIter = 1000, opt = "nlminb"))
  row <- summary(fit)$tTable["x", ]
  ratio <- as.numeric(VarCorr(fit)[1, 1]) / as.numeric(VarCorr(fit)[2, 1])
  show(paste0(name, "_value"), y)
  show(paste0(name, "_predictor"), x)
  show(paste0(name, "_group"), group - 1, "%d", "int")
  cat("/* beta, se, t, df, p, variance ratio */\n")
  show(paste0(name, "_expected"), c(row[["Value"]], row[["Std.Error"]], row[["t-value"]], row[["DF"]],
    row[["p-value"]], ratio))
}
cat("/* Made by mixed_model_nlme.R. */\n")
model("uneven", c(3, 9, 1, 4, 7, 2, 12, 5, 3, 6), 1, 0.8, 5)
model("balanced", rep(6, 8), 1.5, 0.5, -2)
