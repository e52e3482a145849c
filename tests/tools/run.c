// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Runs of ttmpool-replay: see run.h. */
#define _DEFAULT_SOURCE

#include "run.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct run run;

static char dir[] = "/tmp/ttmpool-replay-XXXXXX";

int run_open(void **state)
{
	(void)state;
	/* ASan keeps freed memory for a while, which must not count as growth. */
	setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 0);
	return mkdtemp(dir) ? 0 : -1;
}

int run_close(void **state)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;

	(void)state;
	while (entries && (entry = readdir(entries)))
		if (entry->d_name[0] != '.')
			unlink(run_path(entry->d_name));
	if (entries)
		closedir(entries);
	return rmdir(dir);
}

const char *run_path(const char *name)
{
	static char path[sizeof(dir) + 256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

const char *run_trace_path(const char *name)
{
	const char *traces = getenv("TTMPOOL_TRACES");
	static char path[1024];

	snprintf(path, sizeof(path), "%s/%s", traces ? traces : TRACES_DIR,
		 name);
	return path;
}

void run_write(const char *name, const char *text)
{
	FILE *file = fopen(run_path(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void read_file(const char *name, char *text, size_t size)
{
	FILE *file = fopen(run_path(name), "r");

	assert_non_null(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

pid_t run_start(const char *args, int *input)
{
	const char *replay = getenv("TTMPOOL_REPLAY");
	char command[2048];
	int ends[2];
	pid_t pid;

	snprintf(command, sizeof(command), "cd %s && >out 2>err %s %s", dir,
		 replay ? replay : "'" REPLAY_PROGRAM "'", args);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	*input = ends[1];
	return pid;
}

void run_await(pid_t pid)
{
	struct rusage usage;
	int status;

	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	run.max_rss_kib = usage.ru_maxrss;
	read_file("out", run.out, sizeof(run.out));
	read_file("err", run.err, sizeof(run.err));
}

void run_replay(const char *args)
{
	int input;
	pid_t pid = run_start(args, &input);

	close(input);
	run_await(pid);
}

long long run_number(const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\": ", name);
	at = strstr(run.out, key);
	if (!at)
		fail_msg("no %s in \"%s\"", key, run.out);
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

void run_assert_has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, text);
}

void run_assert_refused(const char *where, const char *words)
{
	size_t len = strcspn(run.err, "\n");

	if (run.status != 2)
		fail_msg("exit %d: %s", run.status, run.err);
	assert_int_equal(strlen(run.err), len + 1);
	assert_int_equal(strncmp(run.err, where, strlen(where)), 0);
	run_assert_has(run.err, words);
}
