// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Offsets of members, from the type information of the running kernel. The probes get
 * numbers, since Linux 6.1 knows no names in them. libbpf reads the format.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "layout.h"

#define BTF_DIRECTORY "/sys/kernel/btf"

/* The offset of @member in bytes, or -ENOENT. */
static int offset_of(const struct btf *btf, const char *structure,
		     const char *member)
{
	int id = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);
	const struct btf_type *type;
	const struct btf_member *members;
	int i;

	if (id < 0)
		return -ENOENT;
	type = btf__type_by_id(btf, (__u32)id);
	members = btf_members(type);
	for (i = 0; i < btf_vlen(type); i++) {
		const char *name =
			btf__name_by_offset(btf, members[i].name_off);

		if (name && !strcmp(name, member))
			return (int)btf_member_bit_offset(type, (__u32)i) / 8;
	}
	return -ENOENT;
}

static bool set(const struct btf *btf, const char *structure,
		const char *member, unsigned int *offset)
{
	int found = offset_of(btf, structure, member);

	if (found < 0)
		return false;
	*offset = (unsigned int)found;
	return true;
}

/* Does @btf have TTM's structures? Then their offsets are read. */
static bool read_ttm(const struct btf *btf, struct layout *layout)
{
	if (!set(btf, "ttm_tt", "num_pages", &layout->tt_pages) ||
	    !set(btf, "ttm_tt", "page_flags", &layout->tt_flags) ||
	    !set(btf, "ttm_tt", "caching", &layout->tt_caching) ||
	    !set(btf, "ttm_pool", "dev", &layout->pool_dev))
		return false;
	layout->pool_has_flags =
		set(btf, "ttm_pool", "alloc_flags", &layout->pool_flags);
	return layout->pool_has_flags ||
	       set(btf, "ttm_pool", "use_dma_alloc", &layout->pool_flags);
}

static bool read_device(const struct btf *vmlinux, struct layout *layout)
{
	unsigned int kobj;
	unsigned int name;

	if (!set(vmlinux, "device", "kobj", &kobj) ||
	    !set(vmlinux, "kobject", "name", &name))
		return false;
	layout->dev_name = kobj + name;
	return true;
}

static bool read_module(struct btf *vmlinux, const char *name,
			struct layout *layout)
{
	struct btf *btf = btf__load_module_btf(name, vmlinux);
	bool found = btf && read_ttm(btf, layout);

	btf__free(btf);
	return found;
}

static bool read_any_module(struct btf *vmlinux, struct layout *layout)
{
	DIR *directory = opendir(BTF_DIRECTORY);
	struct dirent *entry;
	bool found = false;

	if (!directory)
		return false;
	while (!found && (entry = readdir(directory)))
		found = *entry->d_name != '.' &&
			strcmp(entry->d_name, "vmlinux") &&
			read_module(vmlinux, entry->d_name, layout);
	closedir(directory);
	return found;
}

static int quiet(enum libbpf_print_level level, const char *format,
		 va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

int layout_read(struct layout *layout)
{
	struct btf *vmlinux;
	int err = 0;

	libbpf_set_print(quiet);
	vmlinux = btf__load_vmlinux_btf();
	if (!vmlinux) {
		err = -errno;
		fprintf(stderr,
			"ttmpool-record: cannot read " BTF_DIRECTORY
			"/vmlinux: %s: the kernel needs "
			"CONFIG_DEBUG_INFO_BTF\n",
			strerror(-err));
		return err;
	}
	if (!read_device(vmlinux, layout) ||
	    (!read_ttm(vmlinux, layout) &&
	     !read_module(vmlinux, "ttm", layout) &&
	     !read_any_module(vmlinux, layout))) {
		fprintf(stderr, "ttmpool-record: no type information in "
				"" BTF_DIRECTORY " describes struct ttm_tt and "
				"struct ttm_pool: load the driver first\n");
		err = -ENOENT;
	}
	btf__free(vmlinux);
	return err;
}
