#!/usr/bin/env bash
# The code on another processor: arm64.sh builds it with Debian's cross compiler
# in a bare root, and runs unit tests and tests of the commands there by qemu,
# which emulates a process.  Needs root.
#
# ROOTS     which releases (trixie)
# MIRROR, BASES         see root.bash
set -u

cd "$(dirname "$0")/../.." || exit 1
ROOTS=${ROOTS:-trixie}
# shellcheck source=tests/roots/root.bash
source tests/roots/root.bash

# The units that ask little of the system: a process in /proc is qemu itself here,
# and system calls are qemu's, so that seccomp, signals and waiting show more of
# it than of the code.
EMULATED='append cli_filter cli_floats cli_input_format cli_json cli_json_check
	cli_numbers cli_output_format cli_schema cli_schema_values cli_sizes cli_text
	concurrent format golden grow look metadata open reader settle status verify
	writer'
# Those whose tests send no signal at a chosen moment, which takes minutes here, and
# run no program but the command.
COMMANDS='formats golden positions roundtrip seek verify'

CROSS='BUILD=build/arm64 WERROR=1 CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar
	PKG_CONFIG=aarch64-linux-gnu-pkg-config'

# Tests run programs by their names in a folder; these names have qemu run them.
# shellcheck disable=SC2016 # dollars of the shell in the root
NAMES='mkdir -p build/arm64/run/tests/unit
	for file in build/arm64/shmlog build/arm64/tests/unit/test_*.d; do
		name=${file#build/arm64/} name=${name%.d}
		printf "#!/bin/sh\nexec qemu-aarch64 %s \"\$@\"\n" "$PWD/build/arm64/$name" \
			>build/arm64/run/$name
		chmod +x build/arm64/run/$name
	done'

IS_ARM64='aarch64-linux-gnu-readelf -h build/arm64/libshmlog.so | grep AArch64
	aarch64-linux-gnu-readelf -d build/arm64/shmlog | grep NEEDED'

prove() { # RELEASE
	local tests

	begin_steps "$1"
	# shellcheck disable=SC2086 # words
	tests="$(printf ' arm64/run:tests/unit/test_%s.c' $EMULATED)
		$(printf ' arm64/run:tests/cli/%s.bats' $COMMANDS)"
	enter_root
	step 'packages' 'dpkg --add-architecture arm64 && .ci/deps build arm64' &&
		step 'it builds' "make -j\$(nproc) ${CROSS//$'\n'/ } all units" &&
		step 'it is of arm64' "$IS_ARM64" &&
		step 'its tests pass' "$NAMES
			make -s build/tests/runner/supervise
			SHMLOG_TEST_PATIENCE=40 SHMLOG_TEST_SPARING=arm64/run \
				prove --timer -j\$((\$(nproc) + 1)) \
				--exec tests/run-test.sh ${tests//$'\n'/ }"
	leave_root
}

run_proofs "$@"
