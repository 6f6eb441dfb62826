# Random slices of patients, and their mixed models by nlme (the authors' call), lme4, lmerTest and pbkrtest:
# 50 pairs without covariates, and 6 with covariates of patients and of slices.
# Usage: Rscript mixed_models.R SEED FOLDER
suppressMessages({library(nlme); library(lme4); library(lmerTest); library(pbkrtest)})
arguments <- commandArgs(TRUE)
set.seed(as.integer(arguments[1]))
out <- arguments[2]
m <- sample(15:30, 1)
n <- sample(1:9, m, TRUE)
rows <- sum(n)
patient <- rep(seq_len(m), n)
id <- sprintf("P%02d", seq_len(m))
z <- rnorm(rows) + rnorm(m)[patient]
sequence <- sample(c("A", "B", "C"), rows, TRUE)
site <- sample(c("x", "y"), m, TRUE)
age <- rnorm(m, 55, 9)
u <- rnorm(m)
y <- sapply(1:5, function(f) (u * f / 3 + rnorm(m))[patient] + 0.7 * z + (sequence == "B") + rnorm(rows) * f)
g <- sapply(1:10, function(k) rnorm(m) + u * (k %% 3 == 0))
colnames(y) <- paste0("y", 1:5)
colnames(g) <- paste0("g", 1:10)
g[sample(m, 2), 10] <- NA # patients that only this factor misses
long <- data.frame(patient = factor(patient), z, sequence, site = site[patient], age = age[patient], y, g[patient, ])

put <- function(x, name) {
  number <- sapply(x, is.numeric)
  x[number] <- lapply(x[number], function(v) ifelse(is.na(v), "NA", sprintf("%.17g", v)))
  write.table(x, file.path(out, name), sep = "\t", quote = FALSE, row.names = FALSE)
}
put(data.frame(patient = id[patient], image = seq_len(rows), y), "plain.tsv")
put(data.frame(patient = id[patient], image = seq_len(rows), z, sequence, site = site[patient], y), "slices.tsv")
put(data.frame(patient = id, g), "factors.tsv")
put(data.frame(patient = id, age), "clinical.tsv")

precise <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12), check.conv.singular = "ignore")
fit <- function(f, k, others) {
  d <- long[!is.na(long[[k]]), ]
  formula <- as.formula(paste(f, "~", paste(c(k, others), collapse = " + ")))
  model <- lmer(update(formula, . ~ . + (1 | patient)), d, control = precise)
  satt <- summary(model)$coefficients[k, ]
  kr <- summary(model, ddf = "Kenward-Roger")$coefficients[k, ]
  v <- as.data.frame(VarCorr(model))$vcov
  authors <- tryCatch(summary(lme(formula, random = ~ 1 | patient, data = d))$tTable[k, ], error = function(e) rep(NA, 5))
  data.frame(feature = f, factor = k, beta = satt[1], se = satt[2], lambda = v[1] / v[2], satt_df = satt[3], satt_p = satt[5],
             kr_se = kr[2], kr_df = kr[3], kr_p = kr[5], nlme_beta = authors[1], nlme_se = authors[2], nlme_df = authors[3],
             nlme_p = authors[5])
}
all <- list()
for (f in colnames(y)) for (k in colnames(g)) all[[length(all) + 1]] <- fit(f, k, NULL)
put(do.call(rbind, all), "expected-plain.tsv")
all <- list()
for (f in colnames(y)[1:2]) for (k in colnames(g)[c(1, 3, 10)]) all[[length(all) + 1]] <- fit(f, k, c("age", "z", "sequence", "site"))
put(do.call(rbind, all), "expected-slices.tsv")
