# radmix: make, make demo, make check. MODE=release|debug|asan|coverage
MODE ?= release
PREFIX ?= /usr/local
VERSION = 0.1.0

B = build/$(MODE)
CC = mpicc
PACKAGES = hdf5-openmpi scalapack-openmpi lapacke openblas zlib libxxhash

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wfloat-conversion -Wstrict-prototypes \
           -Wmissing-prototypes -Wformat=2 -Wvla
FLAGS_release = -O2 -ftree-vectorize -g -DNDEBUG
FLAGS_debug = -O1 -g
FLAGS_asan = -O1 -g -Wno-format-truncation -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FLAGS_fuzz = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer
FLAGS_coverage = -O0 -g -Wno-format-truncation --coverage -fprofile-update=atomic -DNDEBUG
# Never -ffast-math; contraction off so that the compiler does not choose where a product is fused.
CFLAGS_ALL = -std=gnu11 -ffp-contract=off -fno-math-errno $(FLAGS_$(MODE)) $(WARNINGS) -Iinclude -Isrc \
             -DRADMIX_VERSION='"$(VERSION)"' -isystem /usr/include/nifti \
             $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)) $(CFLAGS)
LIBS = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lnifti2 -lznz -lRmath -lm $(LDFLAGS)

SOURCES = $(filter-out src/main.c %.kernel.c,$(wildcard src/*.c src/*/*.c))
KERNELS = $(wildcard src/*/*.kernel.c)
OBJECTS = $(SOURCES:%.c=$B/%.o) \
          $(foreach isa,2 3 4,$(KERNELS:%.kernel.c=$B/%.kernel.v$(isa).o))
UNIT = $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/unit/test_*.c))
MPI_TESTS = $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/mpi/test_*.c))
CAMPAIGN = $B/tests/campaign/campaign
FUZZERS = $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES = $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/bench/*.c))

# V=1 shows the commands.
Q = $(if $(V),,@)
SAY = @$(if $(V),true,echo)

.PHONY: all tests benches clean
.SECONDARY:
all: $B/radmix $B/libradmix.a

$B/radmix: $B/src/main.o $(OBJECTS)
	$(SAY) link $@
	$(Q)$(CC) $(CFLAGS_ALL) -o $@ $^ $(LIBS)

$B/libradmix.a: $(OBJECTS)
	@rm -f $@
	$(Q)ar rcs $@ $^

$B/src/%.o: src/%.c $B/flags
	@mkdir -p $(@D)
	$(SAY) compile $<
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# A kernel is compiled once for each instruction set: include/radmix/isa.h.
define KERNEL_RULE
$B/src/%.kernel.v$(1).o: src/%.kernel.c $B/flags
	@mkdir -p $$(@D)
	$$(SAY) compile $$< for x86-64-v$(1)
	$$(Q)$$(CC) $$(CFLAGS_ALL) -O3 -march=x86-64-v$(1) -mprefer-vector-width=$(if $(filter 4,$(1)),512,256) \
	  -DRX_ISA=$(1) -MMD -MP -c -o $$@ $$<
endef
$(foreach isa,2 3 4,$(eval $(call KERNEL_RULE,$(isa))))

$B/tests/%: tests/%.c $B/libradmix.a
	@mkdir -p $(@D)
	$(SAY) compile $<
	$(Q)$(CC) $(CFLAGS_ALL) -Itests -MMD -MP -o $@ $< $B/libradmix.a $(WRAP) $(LIBS) -lcmocka

# Tests that make calls fail: tests/injected.h. Private, since flags depend on no test.
INJECTED = aligned_alloc free open_memstream fopen fclose fflush fread fsync open write rename mkdir gzopen gzread H5Fcreate H5Fopen \
           H5Fclose H5Fflush H5Dcreate2 H5Dopen2 H5Dread H5Dwrite H5Gcreate2 H5Gopen2 H5Acreate2 H5Aopen H5Aread H5Awrite
$B/tests/mpi/test_inj%: private WRAP = $(INJECTED:%=-Wl,--wrap=%)

# The readers, and what they are made of.
FUZZED = $(filter $B/src/base/% $B/src/images/% $B/src/genomics/%,$(OBJECTS))
$B/tests/fuzz/%: tests/fuzz/%.c $(FUZZED)
	@mkdir -p $(@D)
	$(SAY) compile $<
	$(Q)$(CC) $(CFLAGS_ALL) -fsanitize=fuzzer -Itests -MMD -MP -o $@ $< $(FUZZED) $(LIBS)

# Rebuilds everything when the flags change.
$B/flags: FORCE
	@mkdir -p $B
	@echo '$(subst ','"'"',$(CC) $(CFLAGS_ALL) $(LIBS))' | cmp -s - $@ || \
	  echo '$(subst ','"'"',$(CC) $(CFLAGS_ALL) $(LIBS))' > $@
FORCE:

tests: $(UNIT) $(MPI_TESTS) $(CAMPAIGN)
benches: $(BENCHES)

clean:
	rm -rf build

-include $(shell find $B -name '*.d' 2>/dev/null)

# ---- reading the code ----

.PHONY: lint format
# tests/golden is written by its scripts.
C_FILES = $(filter-out tests/golden/%,$(wildcard src/*.[ch] src/*/*.[ch] include/radmix/*.h tests/*.h tests/*/*.[ch]))
SHELL_FILES = $(wildcard jobs/*.sh jobs/*/*.sh tests/run tests/cluster/check tests/cluster/inside tests/*/*.sh .ci/run)
lint:
	@tests/lint/layers.sh
	@clang-format --dry-run --Werror $(C_FILES)
	@cppcheck -q --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	  --suppress=missingIncludeSystem --suppress=legacyUninitvar --suppress=invalidPointerCast \
	  -Iinclude -Isrc -DRX_ISA=3 -DRADMIX_VERSION='""' src
	@shellcheck -x $(SHELL_FILES)
	@tests/lint/sizes.sh
# Slower than lint: four minutes. .clang-tidy says what is looked for.
.PHONY: tidy
tidy: have-build have-clang
	@printf '%s\n' $(wildcard src/*.c src/*/*.c) | xargs -P 2 -I FILE \
	  clang-tidy-14 --quiet FILE -- $(CFLAGS_ALL) -DRX_ISA=3 -march=x86-64-v3 2> /dev/null
format:
	clang-format -i $(C_FILES)

# ---- setting up, trying, testing ----

.PHONY: deps check-deps have-build have-test demo check
# The only targets that touch the system. DEPS=no forbids it to the others.
deps:
	@jobs/setup/deps.sh install build test
check-deps:
	@jobs/setup/deps.sh install build test reference

have-build:
	@jobs/setup/deps.sh probe build || [ '$(DEPS)' = no ] || jobs/setup/deps.sh install build
have-test:
	@jobs/setup/deps.sh probe build test || [ '$(DEPS)' = no ] || jobs/setup/deps.sh install build test

# The whole flow on a simulated cohort. A second make, since the first may only just have got its
# compiler.
demo: have-build
	@$(MAKE) --no-print-directory -j2 all
	@jobs/demo.sh $B/radmix

check: have-test
	@$(MAKE) --no-print-directory -j2 all tests
	@tests/run $B $(TESTS)

.PHONY: have-clang fuzz fuzzers
SECONDS ?= 60
have-clang:
	@jobs/setup/deps.sh probe clang || [ '$(DEPS)' = no ] || jobs/setup/deps.sh install clang
fuzzers: $(FUZZERS)
# Inputs that libFuzzer thinks of, SECONDS for each reader: tests/fuzz/run.sh.
fuzz: have-build have-clang
	@OMPI_CC=clang-14 $(MAKE) --no-print-directory -j2 MODE=fuzz fuzzers
	@tests/fuzz/run.sh build/fuzz $(SECONDS) $(TARGETS)

.PHONY: check-asan check-valgrind
# The same tests watched by AddressSanitizer and UndefinedBehaviorSanitizer: unit tests, collective
# ones on 2 ranks, the campaign of bad inputs.
check-asan: have-test
	@$(MAKE) --no-print-directory -j2 MODE=asan all tests
	@ASAN_OPTIONS=fast_unwind_on_malloc=0 UBSAN_OPTIONS=print_stacktrace=1 \
	  LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 \
	  RADMIX_TEST_RANKS=2 RADMIX_TEST_LIMIT=900 CAMPAIGN_LIMIT=600 tests/run build/asan $(or $(TESTS),unit/ mpi/ campaign/)
# Unit tests that make no call of MPI, under Valgrind; slower than the sanitizers by far.
check-valgrind: have-test
	@command -v valgrind > /dev/null || { echo "check-valgrind: expected valgrind, found none" >&2; exit 69; }
	@$(MAKE) --no-print-directory -j2 MODE=debug tests
	@RADMIX_UNIT_UNDER='valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite' \
	  RADMIX_ISA=v3 RADMIX_TEST_LIMIT=900 tests/run build/debug $(or $(TESTS),unit/)

.PHONY: coverage
# Lines that all tests go through, for each folder of src, and those left out with the reason of each
# kind. What is slow is slower here: kernels alone are optimised. TESTS and RADMIX_TEST_RANKS as in check.
coverage: have-test
	@$(MAKE) --no-print-directory -j2 MODE=coverage all tests
	@find build/coverage -name '*.gcda' -delete
	@RADMIX_TEST_LIMIT=1800 RADMIX_INJECTED_DEPTH=2 tests/run build/coverage $(TESTS) || echo "coverage: tests failed; what they went through counts" >&2
	@tests/coverage/report.py build/coverage build/coverage/not-covered.tsv

.PHONY: campaign
# Bad inputs of every reader, and a table of what became of them: tests/campaign/run.sh.
campaign: have-test
	@$(MAKE) --no-print-directory -j2 all $(CAMPAIGN)
	@RADMIX_BUILD=$B CAMPAIGN_STEP=1 tests/campaign/run.sh

# ---- installing, clusters ----

.PHONY: install have-cluster check-cluster bench-faults bench-scaling bench-cluster bench-recovery bench-factors bench-train bench-leak
.PHONY: check-live bench-associate bench-calibration
.PHONY: bench-quality bench-kills
# DESTDIR=/stage PREFIX=/opt/radmix: files go to /stage/opt/radmix and are made for /opt/radmix.
install: have-build
	@$(MAKE) --no-print-directory all
	@DESTDIR='$(DESTDIR)' jobs/site/install.sh $B '$(PREFIX)' '$(VERSION)'

# The job scripts on a real Slurm with two virtual nodes: tests/cluster/check.
have-cluster:
	@jobs/setup/deps.sh probe cluster || [ '$(DEPS)' = no ] || jobs/setup/deps.sh install cluster
check-cluster: have-build have-cluster
	@$(MAKE) --no-print-directory -j2 all
	@tests/cluster/check $B $(TESTS)

# Against R's own packages (nlme, lme4, lmerTest, pbkrtest, GSVA) on random data; what is not installed is
# skipped with a word. Minutes.
check-live: have-test
	@$(MAKE) --no-print-directory -j2 all
	@failed=0; for script in tests/live/*.sh; do RADMIX=$B/radmix $$script || failed=1; done; exit $$failed

# Ranks killed at random moments, and scaling on this machine; minutes each.
bench-faults: have-build
	@$(MAKE) --no-print-directory -j2 all
	@tests/bench/bench_faults.sh $B/radmix
bench-cluster: have-build
	@$(MAKE) --no-print-directory -j2 benches
	@tests/bench/bench_cluster.sh $B
bench-train: have-build
	@$(MAKE) --no-print-directory -j2 benches
	@tests/bench/bench_train.sh $B
# What is learnt of real volumes (five minutes), and ranks of training killed at random moments (two).
bench-quality: have-build
	@$(MAKE) --no-print-directory -j2 all
	@tests/bench/bench_quality.sh $B/radmix
bench-kills: have-build
	@$(MAKE) --no-print-directory -j2 all
	@tests/bench/bench_kills.sh $B/radmix
bench-scaling: have-build
	@$(MAKE) --no-print-directory -j2 all benches
	@RADMIX=$B/radmix RADMIX_BUILD=$B RADMIX_HERE=yes jobs/scaling.sh
# Twenty simulated cohorts through the demo deck: is what is true found, and nothing else? Ten minutes.
bench-recovery: have-build
	@$(MAKE) --no-print-directory -j2 all benches
	@tests/bench/bench_recovery.sh $B
# Pathways of 16,197 genes in 110 patients, and R's GSVA on the same; LARGE=yes: 10,000 patients too.
bench-leak: have-build
	@$(MAKE) --no-print-directory -j2 all
	@tests/bench/bench_leak.sh $B
bench-factors: have-build
	@$(MAKE) --no-print-directory -j2 all benches
	@tests/bench/bench_factors.sh $B
# Mixed models of 4,096 features with 476 and 16,197 factors, nlme and lmer in the same run. Minutes, 5 GB.
bench-associate: have-build
	@$(MAKE) --no-print-directory -j2 all benches
	@tests/bench/bench_associate.sh $B
# How often p finds nothing's effect: a million null fits a cell. Ten minutes.
bench-calibration: have-build
	@$(MAKE) --no-print-directory -j2 all benches
	@$B/tests/bench/bench_calibration

.PHONY: bench-predict
# Lasso paths against glmnet; about an hour, most of it glmnet's.
bench-predict: have-build
	@$(MAKE) --no-print-directory -j2 benches
	@tests/bench/bench_predict.sh $B
