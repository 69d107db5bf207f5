/*
 * Stands for libnvidia-encode.so.1: every call of the encoder fails.
 *   STUB_API    the version that it reports, as NvEncodeAPIGetMaxSupportedVersion does: 16 is 1.0
 *   STUB_ENCODE the answer of each call: 2 is "unsupported device", 10 "out of memory"
 */
char *getenv(const char *);
int atoi(const char *);

static int number(const char *name, int otherwise) {
  char *text = getenv(name);
  return text ? atoi(text) : otherwise;
}

static int fail(void) { return number("STUB_ENCODE", 2); }

int NvEncodeAPIGetMaxSupportedVersion(unsigned *version) { *version = number("STUB_API", 0xf0); return 0; }

/* NV_ENCODE_API_FUNCTION_LIST: a version, a word that is reserved, and pointers. */
struct functions { unsigned version, reserved; void *each[36]; };
int NvEncodeAPICreateInstance(struct functions *list) {
  for (int i = 0; i < 36; i++) list->each[i] = (void *)fail;
  return 0;
}
