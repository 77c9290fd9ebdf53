# limma::removeBatchEffect on a file of float64 (samples x features, row by row), seconds inside the process.
# Rscript limma_peer.R VALUES FEATURES SAMPLES CLASSES REPEATS RESULT -> prints one elapsed time per repeat;
# sample i (from 0) has label i modulo CLASSES.
suppressMessages(library(limma))
arguments <- commandArgs(trailingOnly = TRUE)
features <- as.integer(arguments[2]); samples <- as.integer(arguments[3])
x <- matrix(readBin(arguments[1], "double", features * samples), features, samples)
batch <- (seq_len(samples) - 1) %% as.integer(arguments[4])
for (i in seq_len(as.integer(arguments[5]))) {
  gc(FALSE)
  start <- Sys.time()
  result <- removeBatchEffect(x, batch = batch)
  cat(as.numeric(difftime(Sys.time(), start, units = "secs")), "\n")
}
writeBin(as.vector(result), arguments[6])
