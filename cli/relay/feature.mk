# shmlog-relay: a log to and from NATS JetStream.  It is built where libnats is.
relay_LIBRARY_OBJECTS := $(BUILD)/cli/relay/engine_jetstream.o
ifneq ($(NATS),no)
ifneq ($(call modules,--modversion libnats),)
FEATURES += relay
relay_CFLAGS := $(call modules,--cflags libnats) \
	-DRELAY_LIBRARY='"libnats$(call version_of,libnats)"'
relay_LIBS := $(call modules,--libs libnats)
endif
endif
