# The 70-gene prognosis profile: how unlike a tumour is to the mean of those with good prognosis.
signature gene70
title     70-gene prognosis profile
citation  van 't Veer LJ, Dai H, van de Vijver MJ, et al. Gene expression profiling predicts clinical outcome of breast cancer. Nature 2002;415:530-536
note      A research re-implementation of a published algorithm; not a medical device, not the commercial test.
note      Genes and weights as in genefu 2.39 (Gendoo et al., Bioinformatics 2016;32:1097), Artistic-2.0; symbols of NCBI Gene, earlier ones as alias.
note      52 of the 70 transcripts have a gene of their own; the others cannot be matched. The profile is made of log ratios: centred genes (genomics.centre) are nearer to it.
needs     centred
risk      -0.3

genes profile
  symbol    entrez  alias     good
  ALDH4A1   8659    -         0.1235
  FGF18     8817    -         0.05159091
  BBC3      27113   -         0.0615
  SCUBE2    57758   -         -0.06231818
  RUNDC1    146923  -         0.05065909
  CCN4      8840    WISP1     0.05972727
  GSTM3     2947    -         0.02093182
  ZNF385B   151126  ZNF533    -0.085
  RTN4RL1   146760  -         0.06893182
  ECI2      10455   PECI      0.05554546
  TGFB3     7043    -         0.03597727
  STK32B    55351   -         0.08359091
  MS4A7     58475   -         0.03097727
  AP2B1     163     -         0.05681818
  DHX58     79132   -         0.04086364
  TMEM74B   55321   C20orf46  -0.15279545
  CCNE2     9134    -         -0.23893182
  CENPA     1058    -         -0.23568182
  PRC1      9055    -         -0.21018182
  NMU       10874   -         -0.3105
  IGFBP5    3488    -         -0.16643182
  PITRM1    10531   -         -0.09445455
  PLAAT1    57110   HRASLS    -0.20509091
  MSANTD3   91283   C9orf30   -0.06988636
  MCM6      4175    -         -0.06177273
  CDCA7     83879   -         -0.37670455
  RFC4      5984    -         -0.11986364
  ORC6      23594   ORC6L     -0.20525
  SLC2A3    6515    -         -0.07213636
  ADGRG6    57211   GPR126    -0.35322727
  DCK       1633    -         -0.08870454
  DTL       51514   -         -0.13404546
  COL4A2    1284    -         -0.08879545
  MELK      9833    -         -0.22936364
  MTDH      92140   -         -0.15975
  UCHL5     51377   -         -0.09331818
  RAB6B     51560   -         -0.24990909
  GPR180    160897  -         -0.11415909
  LPCAT1    79888   AYTL2     -0.18677273
  CDC42BPA  8476    -         -0.10738636
  NDC80     10403   KNTC2     -0.16184091
  GMPS      8833    -         -0.07747727
  ECT2      1894    -         -0.11031818
  MMP9      4318    -         -0.40138636
  OXCT1     5019    -         -0.10006818
  GNAZ      2781    -         -0.17668182
  EXT1      2131    -         -0.06125
  CMC2      56942   C16orf61  -0.11004546
  DIAPH3    81624   -         -0.12102273
  QSOX2     169714  QSCN6L1   -0.10793182
  NUSAP1    51203   -         -0.17597727
  TSPYL5    85453   -         -0.37304546
end

steps
  correlate likeness = profile good spearman
  combine score = - likeness
end
score score
