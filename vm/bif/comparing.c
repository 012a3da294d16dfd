#include "vm/bif/comparing.h"

static void comparing_spend(size_t *budget, size_t steps)
{
    *budget -= steps < *budget ? steps : *budget;
}

int comparing_order_slow(Comparing *c, Term a, Term b, size_t *budget)
{
    if (c->answered) {
        c->answered = false;
        return c->answer;
    }
    size_t steps;
    int order = order_shallow(c->atoms, a, b, &steps);
    comparing_spend(budget, steps);
    if (LIKELY(order != ORDER_MORE)) return order;
    OrderWalk o;
    order_begin(&o, c->atoms, ORDER_STANDARD, a, b, NULL);
    size_t left = ORDER_QUICK;
    bool done = order_step(&o, &left);
    order = o.result;
    order_end(&o);
    comparing_spend(budget, ORDER_QUICK - left);
    if (done) return order;
    c->asks = true;
    c->a = a;
    c->b = b;
    return ORDER_MORE;
}

bool comparing_answer(Comparing *c, size_t *budget)
{
    if (!c->walks) order_begin(&c->walk, c->atoms, ORDER_STANDARD, c->a, c->b, c->mem);
    c->walks = true;
    if (!order_step(&c->walk, budget)) return false;
    c->answer = c->walk.result;
    c->answered = true;
    c->asks = false;
    comparing_end(c);
    return true;
}

void comparing_end(Comparing *c)
{
    if (c->walks) order_end(&c->walk);
    c->walks = false;
}
