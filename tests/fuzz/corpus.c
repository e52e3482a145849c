// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The main() of a fuzz target without a fuzzer: each file that is named is an input, and
 * so are all files of a directory that is named. So the ordinary tests try every input
 * that a fuzzer has found once.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_BYTES ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int try_file(const char *path)
{
	static uint8_t bytes[MOST_BYTES];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(bytes, size);
	return 0;
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Returns how many inputs were tried; negative: one could not be read. */
static int try_directory(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_input, alphasort), failed = 0;
	char name[4096];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		failed |= try_file(name);
		free(entries[i]);
	}
	if (n < 0)
		return -1;
	free(entries);
	return failed ? -1 : n;
}

int main(int argc, char **argv)
{
	int tried = 0;

	for (int i = 1; i < argc; i++) {
		int n = try_directory(argv[i]);

		if (n < 0 && try_file(argv[i]))
			return 1;
		tried += n < 0 ? 1 : n;
	}
	printf("fuzz: %d inputs, 0 failed\n", tried);
	return !tried;
}
