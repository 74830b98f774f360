/* credence.h - everything. */
#ifndef CREDENCE_CREDENCE_H
#define CREDENCE_CREDENCE_H

#include <credence/array.h>
#include <credence/context.h>
#include <credence/dist.h>
#include <credence/evidence.h>
#include <credence/graph.h>
#include <credence/handler.h>
#include <credence/loo.h>
#include <credence/mcmc.h>
#include <credence/model.h>
#include <credence/nn.h>
#include <credence/diag.h>
#include <credence/dataset.h>
#include <credence/posterior.h>
#include <credence/random.h>
#include <credence/run.h>
#include <credence/scores.h>
#include <credence/status.h>
#include <credence/pathfinder.h>
#include <credence/svi.h>
#include <credence/table.h>

#endif
