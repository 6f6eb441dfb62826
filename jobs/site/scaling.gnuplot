# scaling.tsv to scaling.svg: measured points on modelled lines.
set terminal svg size 900,520 font "sans,11" background "white"
set output "scaling.svg"
set datafile separator "\t"
set logscale x 2
set xrange [0.9:1200]
set yrange [0:1.15]
set xlabel "ranks"
set ylabel "efficiency"
set key outside below maxrows 4
set grid ytics
set multiplot layout 1,2
stages = "train encode associate predict"
do for [kind in "strong weak"] {
  set title kind." scaling"
  plot for [i=1:words(stages)] "scaling.tsv" \
         using (strcol(1) eq kind && strcol(2) eq word(stages, i) ? $3 : NaN):8 \
         with lines linecolor i title word(stages, i).", model", \
       for [i=1:words(stages)] "scaling.tsv" \
         using (strcol(1) eq kind && strcol(2) eq word(stages, i) ? $3 : NaN):7 \
         with points linecolor i pointtype 7 title word(stages, i).", measured"
}
unset multiplot
