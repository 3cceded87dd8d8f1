# irt_lme4.csv and irt_counts.csv: the mixed model y ~ 0 + model:direction + (1 | item), fitted by lme4.
# Rscript make_irt.R, in this folder; R with lme4 (written with lme4 1.1.31).
#
# irt_verdicts.csv: 6 simulated models on 240 items, 0/1 verdicts. irt_counts.csv: 3 models on 80 items,
# averages of 5 judgements, one model without every fourth item.
#
# tolPwrss is lme4's tolerance for the modes of the items' effects. At its default, 1e-7, the loop stops
# after two steps here and the determinant of Laplace's approximation (nAGQ = 1) belongs to the step before:
# sd of items 1.17849 and logLik -1639.7038 where the approximation's own maximum is 1.17955 and -1639.6954.
# With 1e-10 lme4 finds that maximum. Both are in the file. Quadrature with 25 nodes does not care.
library(lme4)

fit <- function(data, file, nodes, tolerance) {
  long <- rbind(data.frame(data, direction = "und", y = data$und),
                data.frame(data, direction = "gen", y = data$gen))
  control <- glmerControl(optimizer = "bobyqa", tolPwrss = tolerance, optCtrl = list(maxfun = 1e5))
  m <- if ("judges" %in% names(data)) {
    glmer(cbind(round(y * judges), judges - round(y * judges)) ~ 0 + model:direction + (1 | item),
          data = long, family = binomial, nAGQ = nodes, control = control)
  } else {
    glmer(y ~ 0 + model:direction + (1 | item), data = long, family = binomial, nAGQ = nodes,
          control = control)
  }
  v <- as.matrix(vcov(m))
  for (name in sort(unique(data$model))) {
    u <- sprintf("model%s:directionund", name)
    g <- sprintf("model%s:directiongen", name)
    b <- fixef(m)
    cat(sprintf("%s,%d,%g,%s,%.9f,%.9f,%.9f,%.9f,%.9f,%.9f,%.9f,%.9f\n", data$file[1], nodes, tolerance, name,
                b[u], sqrt(v[u, u]), b[g], sqrt(v[g, g]), b[u] - b[g],
                sqrt(v[u, u] + v[g, g] - 2 * v[u, g]), sqrt(unlist(VarCorr(m))), as.numeric(logLik(m))),
        file = file, append = TRUE)
  }
}

counts <- function() {
  set.seed(11)
  d <- expand.grid(item = sprintf("i%02d", 1:80), model = c("a", "b", "c"))
  hard <- setNames(rnorm(80), sprintf("i%02d", 1:80))
  able <- c(a = 1.2, b = 0.4, c = -0.3)
  d <- d[!(d$model == "c" & as.integer(sub("i", "", d$item)) %% 4 == 0), ]
  logit <- able[as.character(d$model)] - hard[as.character(d$item)]
  d$und <- rbinom(nrow(d), 5, plogis(logit)) / 5
  d$gen <- rbinom(nrow(d), 5, plogis(logit - 0.7)) / 5
  d$judges <- 5
  d$category <- "all"
  d[, c("model", "item", "category", "und", "gen", "judges")]
}

write.csv(counts(), "irt_counts.csv", row.names = FALSE, quote = FALSE)
file <- "irt_lme4.csv"
cat("data,nodes,tolerance,model,theta_und,se_und,theta_gen,se_gen,delta,se_delta,sd_item,loglik\n", file = file)
verdicts <- cbind(read.csv("irt_verdicts.csv"), file = "irt_verdicts.csv")
averages <- cbind(read.csv("irt_counts.csv"), file = "irt_counts.csv")
fit(verdicts, file, 1, 1e-7)
fit(verdicts, file, 1, 1e-10)
fit(verdicts, file, 25, 1e-10)
fit(averages, file, 1, 1e-10)
fit(averages, file, 25, 1e-10)
