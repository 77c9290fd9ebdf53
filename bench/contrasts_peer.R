# limma's lmFit and eBayes, series after series, on a file of float64 (series x runs x genes, row by row), the
# first half of the runs against the second: processor seconds inside the process.
# Rscript contrasts_peer.R VALUES GENES RUNS SERIES RESULT -> prints the seconds; the result is t, then p, of
# every series.
suppressMessages(library(limma))
arguments <- commandArgs(trailingOnly = TRUE)
sizes <- as.integer(arguments[2:4])
values <- array(readBin(arguments[1], "double", prod(sizes)), sizes)
design <- cbind(1, rep(c(1, 0), each = sizes[2] / 2))
spent <- system.time(fits <- lapply(seq_len(sizes[3]), function(i) eBayes(lmFit(values[, , i], design))))
cat(sum(spent[1:2]), "\n")
writeBin(unlist(lapply(fits, function(fit) c(fit$t[, 2], fit$p.value[, 2]))), arguments[5])
