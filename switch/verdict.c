// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/verdict.h"

static const struct {
	const char *name, *meaning;
} verdicts[] = {
#define V(id, name, meaning) [VERDICT_##id] = { name, meaning },
	VERDICTS(V)
#undef V
};

const char *verdict_name(enum verdict verdict)
{
	return verdict < VERDICT_COUNT ? verdicts[verdict].name : "unknown";
}

const char *verdict_meaning(enum verdict verdict)
{
	return verdict < VERDICT_COUNT ? verdicts[verdict].meaning : "";
}
