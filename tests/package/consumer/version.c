// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Print the version of the headers, as numbers and as text. */

#include <stdio.h>
#include <ttmpool/version.h>

int main(void)
{
	printf("%d.%d.%d %s\n", TTMPOOL_VERSION_MAJOR, TTMPOOL_VERSION_MINOR,
	       TTMPOOL_VERSION_PATCH, TTMPOOL_VERSION_STRING);
	return 0;
}
