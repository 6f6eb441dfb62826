# Oncotype DX recurrence score: four groups of genes and three single ones, two groups with a floor.
signature oncotypedx
title     Recurrence score of 16 genes and 5 references
citation  Paik S, Shak S, Tang G, et al. A multigene assay to predict recurrence of tamoxifen-treated, node-negative breast cancer. N Engl J Med 2004;351:2817-2826
note      A research re-implementation of a published algorithm; not a medical device, not the commercial test.
note      Genes and weights as in genefu 2.39 (Gendoo et al., Bioinformatics 2016;32:1097), Artistic-2.0; symbols of NCBI Gene, earlier ones as alias.
note      Each gene is put on 0 .. 15 by its range in the cohort.
needs     all
risk      18 31

genes panel
  symbol  entrez  alias  group          weight
  MKI67   4288    -      proliferation  0.2
  AURKA   6790    -      proliferation  0.2
  BIRC5   332     -      proliferation  0.2
  CCNB1   891     -      proliferation  0.2
  MYBL2   4605    -      proliferation  0.2
  MMP11   4320    -      invasion       0.5
  CTSV    1515    CTSL2  invasion       0.5
  GRB7    2886    -      her2           0.9
  ERBB2   2064    -      her2           0.1
  ESR1    2099    -      estrogen       0.2
  PGR     5241    -      estrogen       0.3
  BCL2    596     -      estrogen       0.25
  SCUBE2  57758   -      estrogen       0.25
  GSTM1   2944    -      GSTM1          1
  CD68    968     -      CD68           1
  BAG1    573     -      BAG1           1
end

# for reference in the assay; not used here
genes reference
  symbol  entrez  alias
  ACTB    60      -
  GAPDH   2597    -
  RPLP0   6175    -
  GUSB    2990    -
  TFRC    7037    -
end

steps
  rescale panel range 0 15
  sum her2 = panel weight her2
  clip her2 8 inf
  sum estrogen = panel weight estrogen
  sum proliferation = panel weight proliferation
  clip proliferation 6.5 inf
  sum invasion = panel weight invasion
  sum cd68 = panel weight CD68
  sum gstm1 = panel weight GSTM1
  sum bag1 = panel weight BAG1
  combine unscaled = 0.47 * her2 - 0.34 * estrogen + 1.04 * proliferation + 0.1 * invasion + 0.05 * cd68 - 0.08 * gstm1 - 0.07 * bag1
  combine score = 20 * unscaled - 134
  clip score 0 100
end
score score
