# Mixed models with covariates that vary within patients, by lme4 (REML and ML), lmerTest, pbkrtest and
# nlme (containment df), and ordinary regression of patient means. Made with R 4.2.2, lme4 1.1-31.
# Usage: Rscript association_images.R > association_images.h
suppressMessages({library(nlme); library(lme4); library(lmerTest); library(pbkrtest)})
set.seed(11)
n_patients <- 16
rows <- sample(1:7, n_patients, TRUE)
n <- sum(rows)
patient <- rep(seq_len(n_patients), rows)
age <- round(rnorm(n_patients, 55, 9), 2)
z <- round(rnorm(n) + rep(rnorm(n_patients), rows), 4)
sequence <- sample(c("A", "B", "C"), n, TRUE)
site <- sample(c("x", "y"), n_patients, TRUE)
u <- rnorm(n_patients)
y <- sapply(1:3, function(f)
  round(rep(u * f / 2 + rnorm(n_patients), rows) + 0.7 * z + 1.2 * (sequence == "B") + rnorm(n), 4))
g <- sapply(1:3, function(f) round(rnorm(n_patients) + 0.3 * u, 4))
g[3, 3] <- NA # one patient less

long <- data.frame(patient, z, sequence, site = site[patient], age = age[patient], y, g[patient, ])
names(long) <- c("patient", "z", "sequence", "site", "age", "y1", "y2", "y3", "g1", "g2", "g3")
precise <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12))

fit <- function(f, k) {
  d <- long[!is.na(long[[paste0("g", k)]]), ]
  d$y <- d[[paste0("y", f)]]
  d$g <- d[[paste0("g", k)]]
  model <- lmer(y ~ g + age + z + sequence + site + (1 | patient), d, control = precise)
  null <- lmer(y ~ age + z + sequence + site + (1 | patient), d, REML = FALSE, control = precise)
  nlme <- lme(y ~ g + age + z + sequence + site, random = ~ 1 | patient, d,
              control = lmeControl(opt = "optim", reltol = 1e-14, msMaxIter = 1000))
  s <- summary(model)$coefficients["g", ]
  kr <- summary(model, ddf = "Kenward-Roger")$coefficients["g", ]
  v <- as.data.frame(VarCorr(model))$vcov
  m <- aggregate(cbind(y, g, age, z, b = sequence == "B", c = sequence == "C", s = site == "y") ~ patient, d, mean)
  p <- summary(lm(y ~ g + age + z + b + c + s, m))$coefficients["g", 4]
  c(s[1], s[2], v[1] / v[2], summary(nlme)$tTable["g", "DF"], s[3], kr[2], kr[3],
    2 * as.numeric(logLik(refitML(model)) - logLik(null)), log10(p))
}

numbers <- function(x) paste(ifelse(is.na(x), "NAN", sprintf("%.15g", x)), collapse = ", ")
put <- function(declaration, body)
  cat(declaration, " = {\n", paste0(strwrap(body, 98, prefix = "    "), collapse = "\n"), "};\n", sep = "")
cat("/* Made by association_images.R: do not edit. clang-format off */\n")
cat("#ifndef RADMIX_GOLDEN_ASSOCIATION_IMAGES_H\n#define RADMIX_GOLDEN_ASSOCIATION_IMAGES_H\n\n#include <math.h>\n#include <stddef.h>\n\n")
cat(sprintf("enum { GOLDEN_PATIENTS = %d, GOLDEN_ROWS = %d };\n", n_patients, n))
put("static const size_t golden_patient[GOLDEN_ROWS]", paste(patient - 1, collapse = ", "))
put("static const double golden_z[GOLDEN_ROWS]", numbers(z))
put("static const char *const golden_sequence[GOLDEN_ROWS]", paste0('"', sequence, '"', collapse = ", "))
put("static const char *const golden_site[GOLDEN_PATIENTS]", paste0('"', site, '"', collapse = ", "))
put("static const double golden_age[GOLDEN_PATIENTS]", numbers(age))
put("static const double golden_y[GOLDEN_ROWS * 3]", numbers(t(y)))
put("static const double golden_g[GOLDEN_PATIENTS * 3]", numbers(t(g)))
cat("/* feature, factor: beta, se, lambda, containment df, Satterthwaite df, Kenward-Roger se and df,\n",
    "   likelihood ratio, log10 p of ordinary regression on means */\n", sep = "")
cat("static const double golden_fit[3][3][9] = {\n")
for (f in 1:3) cat(sprintf("    {{%s},\n     {%s},\n     {%s}},\n", numbers(fit(f, 1)), numbers(fit(f, 2)), numbers(fit(f, 3))))
cat("};\n\n#endif\n")
