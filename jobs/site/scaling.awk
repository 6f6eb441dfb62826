# Efficiency as measured, and as a model of up to 1,024 ranks says: scaling.awk machine.tsv measured.tsv
#
# On R ranks a stage takes
#   T(R) = (T(1) - s) i(R) / R + s + m (2 log2(R) latency + 2 bytes / bandwidth)
# with s what does not divide (the result's bytes over the rate of writing; for prediction what is left
# of 2 ranks, at the speed of 2 copies), i(R) the imbalance of parts that cannot be cut further (places of a batch, blocks of 16
# factors), and m sums over ranks of so many bytes (training: a step's gradients as 64-bit integers).
# Weak scaling: the same with R times the work, the batch and the bytes. The column machine is the
# efficiency of R processes that have nothing to do with each other.
BEGIN {
  FS = OFS = "\t"
  latency = 2e-6; bandwidth = 10e9; writing = 1e9
  batch = 64; weights = 7265
  print "kind", "stage", "ranks", "patients", "images", "seconds", "efficiency", "modelled", "machine",
    "work", "work_efficiency", "work_machine"
}
FILENAME ~ /machine/ {
  if (FNR == 2) {
    if ($2 > 0) { latency = $2 * 1e-6; bandwidth = $3 * 1e6 }
    if ($5 > 0) writing = $5 * 1e6
  }
  next
}
FNR == 1 { next }
$1 == "copies" { copies[$2, $3] = $6; copied_work[$2, $3] = $7; next }
{
  key = $1 OFS $2
  if (!(key in seen)) { seen[key] = ++n_keys; keys[n_keys] = key }
  n = ++count[key]
  ranks[key, n] = $3; patients[key, n] = $4; images[key, n] = $5; seconds[key, n] = $6
  time[key, $3] = $6; work[key, $3] = $7
  if ($3 == 1) { first_patients[key] = $4; first_images[key] = $5; first_bytes[key] = $8 }
}

function log2(x) { return log(x) / log(2) }
function ceil(x) { return x == int(x) ? x : int(x) + 1 }

# How much longer the busiest rank works than the mean, when n parts are dealt to r ranks.
function imbalance(n, r) { return r <= n ? ceil(n / r) * r / n : r / n }

# What so many copies of the work on one rank reach.
function machine(stage, r) {
  return (stage, r) in copies && ("strong" OFS stage, 1) in time ? time["strong" OFS stage, 1] / copies[stage, r] : ""
}
function work_machine(stage, r) {
  return (stage, r) in copied_work && ("strong" OFS stage, 1) in work ? work["strong" OFS stage, 1] / copied_work[stage, r] : ""
}

function model(key, kind, stage, r,    one, s, parts, factor, steps, t) {
  factor = kind == "weak" ? r : 1
  one = time[key, 1] * factor
  s = first_bytes[key] * (stage == "encode" ? factor : 1) / writing
  if (stage == "train") s = 0
  if (stage == "predict" && (("strong" OFS stage), 2) in time)
    s = 2 * time["strong" OFS stage, 2] * (machine(stage, 2) ? machine(stage, 2) : 1) - time["strong" OFS stage, 1]
  if (s < 0) s = 0
  if (s > one / 2) s = one / 2
  t = (one - s) / r + s
  if (stage == "train") {
    t *= imbalance(batch * factor, r)
    steps = epochs * ceil(first_images[key] / batch)
    if (r > 1) t += steps * (2 * ceil(log2(r)) * latency + 2 * 8 * weights / bandwidth)
  } else if (stage == "associate") {
    # More ranks than blocks share the features of a block.
    parts = ceil(genes * factor / 16)
    if (r <= parts) t = (one - s) / r * imbalance(parts, r) + s
    else t = (one - s) / (parts * int(r / parts)) + s
  } else if (stage == "encode") {
    t = (one - s) / r * imbalance(first_patients[key] * factor, r) + s
  }
  return t
}

function efficiency(key, kind, t, r) { return kind == "weak" ? time[key, 1] / t : time[key, 1] / (r * t) }
function work_efficiency(key, kind, r) { return work[key, 1] / work[key, r] / (kind == "weak" ? 1 : r) }
function known(x) { return x ? sprintf("%.3f", x) : "" }

END {
  for (k = 1; k <= n_keys; k++) {
    key = keys[k]
    split(key, names, OFS)
    kind = names[1]; stage = names[2]
    if (!((key, 1) in time)) continue
    for (n = 1; n <= count[key]; n++) {
      r = ranks[key, n]
      printf "%s\t%s\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f\t%s\t%.3f\t%.3f\t%s\n", kind, stage, r, patients[key, n],
        images[key, n], seconds[key, n], efficiency(key, kind, seconds[key, n], r),
        efficiency(key, kind, model(key, kind, stage, r), r), r == 1 ? "" : known(machine(stage, r)),
        work[key, r], work_efficiency(key, kind, r), r == 1 ? "" : known(work_machine(stage, r))
      done[key, r] = 1
    }
    for (r = 4; r <= 1024; r *= 2) {
      if ((key, r) in done) continue
      t = model(key, kind, stage, r)
      factor = kind == "weak" ? r : 1
      printf "%s\t%s\t%d\t%d\t%d\t%.4f\t\t%.3f\t\t\t\t\n", kind, stage, r, first_patients[key] * factor,
        first_images[key] * factor, t, efficiency(key, kind, t, r)
    }
  }
}
