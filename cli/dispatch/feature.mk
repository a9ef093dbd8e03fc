# shmlog-dispatch: prompts in one log, replies in another.  It is built where
# libcurl is, in which it reaches a model.
dispatch_LIBRARY_OBJECTS := $(BUILD)/cli/dispatch/answer_model.o
ifneq ($(CURL),no)
ifneq ($(call modules,--modversion libcurl),)
FEATURES += dispatch
dispatch_CFLAGS := $(call modules,--cflags libcurl) \
	-DDISPATCH_LIBRARY='"libcurl$(call version_of,libcurl)"'
dispatch_LIBS := $(call modules,--libs libcurl)
endif
endif
