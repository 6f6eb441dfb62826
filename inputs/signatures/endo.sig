# EndoPredict: eight genes, brought to the scale of its microarrays and then of its RT-PCR.
signature endo
title     EndoPredict score
citation  Filipits M, Rudas M, Jakesz R, et al. A new molecular predictor of distant recurrence in ER-positive, HER2-negative breast cancer adds independent information to conventional clinical risk factors. Clin Cancer Res 2011;17:6012-6020
note      A research re-implementation of a published algorithm; not a medical device, not the commercial test.
note      Genes and weights as in genefu 2.39 (Gendoo et al., Bioinformatics 2016;32:1097), Artistic-2.0; symbols of NCBI Gene, earlier ones as alias.
note      The scale of the arrays is taken from the cohort: 2.5 and 97.5 % of each gene become 6 and 14.
needs     all
risk      5

genes panel
  symbol  entrez  alias  weight  a     b
  BIRC5   332     -      0.41    0.94  -3.8
  RBBP8   5932    -      -0.35   0.71  -0.9
  UBE2C   11065   -      0.39    0.79  -1.4
  IL6ST   3572    -      -0.31   0.81  -5
  AZGP1   563     -      -0.26   0.67  -0.8
  DHCR7   1717    -      0.39    0.89  -4.4
  MGP     4256    -      -0.18   0.49  4.3
  STC2    8614    -      -0.15   0.83  -3.6
end

# for reference in the assay; not used here
genes reference
  symbol  entrez  alias
  CALM2   805     -
  OAZ1    4946    -
  RPL37A  6168    -
end

steps
  rescale panel quantile 0.025 6 14
  clip panel 1 15
  centre panel patient
  affine panel 1 8.965784284662087
  invert panel a b
  sum unscaled = panel weight
  affine unscaled 1 -2.63
  affine unscaled 1.5 18.95
  clip unscaled 0 15
end
score unscaled
