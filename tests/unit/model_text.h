/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/model_text.h - a model from the text of a file, for tests */
#ifndef TESTS_UNIT_MODEL_TEXT_H
#define TESTS_UNIT_MODEL_TEXT_H

#include "ctl/model.h"

/* model_of_text() - as model_parse(), of a file called "t"; @env: or NULL. Return: for model_free(), or NULL with @err */
struct model *model_of_text(const char *yaml, const struct model_env *env, struct error *err);

/* model_of() - the same of a text that must do, and fails the test if it does not */
struct model *model_of(const char *yaml);

#endif
