// SPDX-License-Identifier: GPL-2.0 OR MIT
// A test runner in C++, which knows nothing of cmocka.
#include <cstdio>
#include <string>
#include <ttmpool/testing.h>

static void hear(void *arg, const char *line)
{
	static_cast<std::string *>(arg)->append(line);
}

static int nothing(ttmpool_test *, void *)
{
	return 0;
}

int main()
{
	std::string heard;
	ttmpool_test_config config = ttmpool_test_config();
	config.say = hear;
	config.arg = &heard;
	ttmpool_test *test = ttmpool_test_open(&config);

	if (!test || !ttmpool_test_buffer(test, 4, TTMPOOL_CACHED) ||
	    ttmpool_test_plan(test, "dma-map") || ttmpool_test_close(test) ||
	    ttmpool_test_sweep(&config, nothing, nullptr, nullptr))
		return 1;
	std::printf("C++: closed, and heard \"%s\"\n", heard.c_str());
	return !heard.empty();
}
