# rheo: simulator of self-learning resistor and flow networks.
#
#   make            build/rheo, build/librheo.a, build/librheo.so
#   make demo       packages, build, train the allostery example and show the result
#   make test       packages, build, every test
#   make help       all targets

VERSION := 0.1.0
BUILD ?= build
PREFIX ?= /usr/local
# NGSPICE=0 builds without rheo-ngworker: no ngspice backend, and neither libngspice nor libseccomp is needed
NGSPICE ?= 1
DESTDIR ?=
CC ?= cc
MODULES ?= base element circuit netlist solver transient memory protocol task config learn machine run export cosim ngspice

OPT ?= -O3
WARN := -Wall -Wextra -Wshadow -Wconversion
CPPFLAGS += -Iinclude -Isrc -I/usr/include/suitesparse -D_GNU_SOURCE
CFLAGS += -std=c17 $(OPT) -g $(WARN) -ffp-contract=off -fno-math-errno -fPIC -fvisibility=hidden -pthread
# Only the half of CHOLMOD that needs no BLAS is called. Programs take it statically, so they start without BLAS and its
# threads; librheo.so cannot, since Debian's libcholmod.a is not position independent.
CHOLMOD ?= -Wl,-Bstatic -lcholmod -Wl,-Bdynamic
LDLIBS += -lklu -lamd -lcolamd -lbtf -lsuitesparseconfig -lyaml -lz -lm -pthread
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

LIB_SRC := $(foreach m,$(MODULES),$(wildcard src/$m/*.c))
CLI_SRC := $(wildcard src/cli/*.c)
TEST_SRC := $(wildcard tests/test_*.c)
TEST_SUP := $(filter-out $(TEST_SRC) $(wildcard tests/fuzz_*.c tests/preload_*.c tests/bench_*.c),$(wildcard tests/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/obj/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/obj/%.o)
SUP_OBJ := $(TEST_SUP:%.c=$(BUILD)/obj/%.o)
TESTS := $(TEST_SRC:tests/%.c=$(BUILD)/tests/%)
PRELOADS := $(patsubst tests/%.c,$(BUILD)/tests/%.so,$(wildcard tests/preload_*.c))

# What `make deps` installs when it is missing. python3-numpy only reads results, ngspice only runs decks in the tests.
PACKAGES := gcc libc6-dev make pkg-config libsuitesparse-dev libyaml-dev zlib1g-dev libcmocka-dev liblapack-dev libblas-dev ngspice python3-numpy
ifneq ($(NGSPICE),0)
PACKAGES += libngspice0-dev libseccomp-dev
WORKER := $(BUILD)/rheo-ngworker
endif

# make V=1 shows the whole commands
ifeq ($(V),1)
say = @true
Q =
else
say = @printf '  %-4s %s\n'
Q = @
endif

.PHONY: all demo test check test-asan check-asan bench bench-ngspice fuzz fuzzers deps format format-check install uninstall clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/rheo $(BUILD)/librheo.a $(BUILD)/librheo.so $(WORKER)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/librheo.a: $(LIB_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/librheo.so: $(LIB_OBJ)
	$(say) LD $@
	$(Q)$(CC) -shared -Wl,-soname,librheo.so.0 $(CFLAGS) $(LDFLAGS) $^ -lcholmod $(LDLIBS) -o $@

$(BUILD)/rheo: $(CLI_OBJ) $(BUILD)/librheo.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(CHOLMOD) $(LDLIBS) -o $@

WORKER_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard src/ngworker/*.c))
$(BUILD)/rheo-ngworker: $(WORKER_OBJ)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -lngspice -lseccomp -lm -o $@

$(BUILD)/obj/src/ngspice/process.o: CPPFLAGS += -DRHEO_LIBEXECDIR='"$(PREFIX)/libexec/rheo"'

$(BUILD)/tests/test_%: $(BUILD)/obj/tests/test_%.o $(SUP_OBJ) $(BUILD)/librheo.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(CHOLMOD) $(LDLIBS) -lcmocka -llapack -lblas -o $@

$(BUILD)/tests/preload_%.so: tests/preload_%.c
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CPPFLAGS) -std=c17 -O2 $(WARN) -shared -fPIC $< -ldl -o $@

# ---- what people type ----

deps:
	@missing=; for p in $(PACKAGES); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
	  echo "installing:$$missing"; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

demo: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@tools/demo.sh $(BUILD)/rheo

test: deps
	@$(MAKE) --no-print-directory -j$$(nproc) check

check: all $(TESTS) $(PRELOADS)
	@RHEO=$(abspath $(BUILD)/rheo) PRELOAD_DIR=$(abspath $(BUILD)/tests) tools/run-tests.sh $(TESTS)

# The same tests under AddressSanitizer (with its leak check) and UBSan. Preloaded allocators do not go with it: those tests skip.
test-asan: deps
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(BUILD)-asan OPT="-O1 $(SAN)" LDFLAGS="$(SAN)" check-asan

check-asan: all $(TESTS)
	@RHEO=$(abspath $(BUILD)/rheo) RHEO_ASAN=1 ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  tools/run-tests.sh $(TESTS)

bench: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	$(BUILD)/rheo bench

# Operating points by ngspice: memory, and time against a plain loop around libngspice; POINTS=100000
POINTS ?= 100000
bench-ngspice: deps
	@[ "$(NGSPICE)" != 0 ] || { echo "make bench-ngspice needs ngspice: it does not go with NGSPICE=0"; exit 2; }
	@$(MAKE) --no-print-directory -j$$(nproc) all $(BUILD)/tests/bench_ngspice
	$(BUILD)/tests/bench_ngspice $(POINTS)

$(BUILD)/tests/bench_ngspice: $(BUILD)/obj/tests/bench_ngspice.o $(BUILD)/librheo.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(CHOLMOD) $(LDLIBS) -lngspice -o $@

# Each fuzzer for FUZZ_SECONDS (default a minute); needs clang. Inputs that break it are left in build-fuzz/.
FUZZ_SECONDS ?= 60
fuzz:
	@command -v clang >/dev/null || { echo "make fuzz needs clang: apt-get install clang libclang-rt-14-dev"; exit 2; }
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=build-fuzz CC=clang OPT="-O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" fuzzers
	@for f in $(patsubst tests/%.c,%,$(wildcard tests/fuzz_*.c)); do \
	  mkdir -p build-fuzz/corpus/$$f; \
	  echo "$$f: $(FUZZ_SECONDS) s"; \
	  build-fuzz/tests/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=build-fuzz/$$f- build-fuzz/corpus/$$f $(wildcard netlists examples) || exit 1; done

fuzzers: $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz_*.c))

$(BUILD)/tests/fuzz_%: $(BUILD)/obj/tests/fuzz_%.o $(BUILD)/librheo.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer,address,undefined $^ $(CHOLMOD) $(LDLIBS) -o $@

FORMATTED := $(wildcard src/*/*.[ch] include/rheo/*.h tests/*.[ch])
format:
	clang-format -i $(FORMATTED)
format-check:
	clang-format --dry-run -Werror $(FORMATTED)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/rheo
	install -m 755 $(BUILD)/rheo $(DESTDIR)$(PREFIX)/bin/rheo
	$(if $(WORKER),install -d $(DESTDIR)$(PREFIX)/libexec/rheo && install -m 755 $(WORKER) $(DESTDIR)$(PREFIX)/libexec/rheo/)
	install -m 644 $(BUILD)/librheo.a $(DESTDIR)$(PREFIX)/lib/librheo.a
	install -m 755 $(BUILD)/librheo.so $(DESTDIR)$(PREFIX)/lib/librheo.so.$(VERSION)
	ln -sf librheo.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/librheo.so.0
	ln -sf librheo.so.0 $(DESTDIR)$(PREFIX)/lib/librheo.so
	install -m 644 include/rheo/*.h $(DESTDIR)$(PREFIX)/include/rheo/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' tools/rheo.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/rheo.pc

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/rheo $(DESTDIR)$(PREFIX)/lib/librheo.a $(DESTDIR)$(PREFIX)/lib/librheo.so*
	rm -f $(DESTDIR)$(PREFIX)/lib/pkgconfig/rheo.pc $(addprefix $(DESTDIR)$(PREFIX)/,$(wildcard include/rheo/*.h))
	rm -f $(DESTDIR)$(PREFIX)/libexec/rheo/rheo-ngworker
	-rmdir $(DESTDIR)$(PREFIX)/libexec/rheo 2>/dev/null
	-rmdir $(DESTDIR)$(PREFIX)/include/rheo 2>/dev/null

clean:
	rm -rf build build-asan build-fuzz

help:
	@echo "all          build/rheo, build/librheo.a, build/librheo.so (default)"
	@echo "demo         packages, build, train the allostery example, show the result"
	@echo "test         packages, build, all tests"
	@echo "test-asan    the same under AddressSanitizer and UBSan, leaks included"
	@echo "bench        speed of one learning step against one factorisation, and more"
	@echo "bench-ngspice  points by ngspice: memory, and time against a plain loop around libngspice"
	@echo "fuzz         fuzz the readers, FUZZ_SECONDS=60 each (needs clang)"
	@echo "deps         install missing Debian packages"
	@echo "format       clang-format over the sources"
	@echo "install      PREFIX=/usr/local DESTDIR="
	@echo "uninstall    take it away again"
	@echo "clean        remove build folders"

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(SUP_OBJ:.o=.d) $(WORKER_OBJ:.o=.d) $(TEST_SRC:%.c=$(BUILD)/obj/%.d)
