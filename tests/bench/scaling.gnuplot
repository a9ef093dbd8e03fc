# Draws scaling.svg from the columns that bench.sh leaves: x, seconds of
# append, dump, verify and tail, for sizes of stat and dump --grep as well (or of
# the writer), peak memory in MiB, and the bytes of a log of frames or the frames
# of the writer.
set terminal svg size 960,640 font "sans,12" background "white"
set output "scaling.svg"
set multiplot layout 2,2
set grid
set key left top
set style data linespoints

set title "Time by size of the log"
set logscale xy
set xlabel "MiB"
set ylabel "seconds"
plot "size.tsv" using ($1/2**20):2 title "append", \
     "" using ($1/2**20):3 title "dump", \
     "" using ($1/2**20):4 title "verify", \
     "" using ($1/2**20):5 title "tail -n 10", \
     "" using ($1/2**20):6 title "stat", \
     "" using ($1/2**20):7 title "dump --grep"

set title "Peak memory by size of the log"
unset logscale y
set ylabel "MiB"
set yrange [0:16]
plot "size.tsv" using ($1/2**20):8 title "the highest of all"

set title "Speed by size of the payload"
set key right bottom
set logscale y
set autoscale y
set xlabel "bytes, and 1"
set ylabel "GB/s"
plot "frame.tsv" using ($1+1):($7/$2/1e9) title "append", \
     "" using ($1+1):($7/$3/1e9) title "dump", \
     "" using ($1+1):($7/$4/1e9) title "verify"

set title "A writer beside readers"
unset logscale
set xlabel "readers"
set ylabel "its processor time a frame, ns"
set yrange [0:*]
plot "readers.tsv" using 1:($2/$4*1e9) title "write 64 B, commit each"
unset multiplot
