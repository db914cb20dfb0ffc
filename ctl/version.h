/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/version.h - what `lanyard --version` says; the build may set it */
#ifndef CTL_VERSION_H
#define CTL_VERSION_H

#ifndef LANYARD_VERSION
#define LANYARD_VERSION "0.1"
#endif

#endif
