/* Built-ins of erlang about dates: {{Year, Month, Day}, {Hour, Minute, Second}},
 * local and universal. */
#include "vm/bif/bif.h"

#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/big.h"
#include "vm/term/tuple.h"

#include <time.h>

#define CALENDAR_FIRST_LOCAL 1902 /* year that local time is known for */
#define CALENDAR_FIRST_POSIX 1600
#define CALENDAR_LAST_YEAR   INT32_MAX
/* Beyond some ten thousand million years. */
#define CALENDAR_MOST_SECONDS (INT64_C(1) << 56)

typedef struct CalendarTime {
    int64_t field[6]; /* year, month, day, hour, minute, second */
} CalendarTime;

static bool calendar_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t calendar_month_days(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && calendar_is_leap(year));
}

static bool calendar_fields(Term t, int64_t *fields)
{
    if (!term_is_tuple_of(t, 3)) return false;
    for (size_t i = 0; i < 3; i++) {
        if (!term_is_small(tuple_at(t, i))) return false;
        fields[i] = small_value(tuple_at(t, i));
    }
    return true;
}

/* A date and time that exist, not before a year; false: badarg. */
static bool calendar_read(Term t, int64_t first_year, CalendarTime *c)
{
    if (!term_is_tuple_of(t, 2) || !calendar_fields(tuple_at(t, 0), c->field)
        || !calendar_fields(tuple_at(t, 1), c->field + 3))
        return false;
    const int64_t *f = c->field;
    if (f[0] < first_year || f[0] > CALENDAR_LAST_YEAR || f[1] < 1 || f[1] > 12) return false;
    if (f[2] < 1 || f[2] > calendar_month_days(f[0], f[1])) return false;
    return f[3] >= 0 && f[3] < 24 && f[4] >= 0 && f[4] < 60 && f[5] >= 0 && f[5] < 60;
}

/* Days since 1970 of the first day of a year. */
static int64_t calendar_year_start(int64_t year)
{
    int64_t y = year - 1;
    int64_t leaps =
        (y >= 0 ? y : y - 3) / 4 - (y >= 0 ? y : y - 99) / 100 + (y >= 0 ? y : y - 399) / 400;
    return 365 * (year - 1970) + leaps - 477;
}

/* Seconds since 1970 of a universal time. */
static int64_t calendar_seconds(const CalendarTime *c)
{
    const int64_t *f = c->field;
    int64_t days = calendar_year_start(f[0]) + f[2] - 1;
    for (int64_t month = 1; month < f[1]; month++) days += calendar_month_days(f[0], month);
    return 86400 * days + 3600 * f[3] + 60 * f[4] + f[5];
}

static CalendarTime calendar_from_seconds(int64_t seconds)
{
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    int64_t left = seconds - 86400 * days;
    int64_t year = 1970 + days / 146097 * 400 + days % 146097 / 366;
    while (calendar_year_start(year) > days) year--;
    while (calendar_year_start(year + 1) <= days) year++;
    int64_t day = days - calendar_year_start(year);
    int64_t month = 1;
    for (; day >= calendar_month_days(year, month); month++)
        day -= calendar_month_days(year, month);
    return (CalendarTime){{year, month, day + 1, left / 3600, left / 60 % 60, left % 60}};
}

static BifResult calendar_result(Process *p, const CalendarTime *c)
{
    Term t[6];
    for (size_t i = 0; i < 6; i++) t[i] = small_from(c->field[i]);
    Term date = heap_tuple3(&p->heap, t[0], t[1], t[2]);
    Term time = heap_tuple3(&p->heap, t[3], t[4], t[5]);
    bool none = term_is_none(date) || term_is_none(time);
    Term both = none ? TERM_NONE : heap_tuple2(&p->heap, date, time);
    return term_is_none(both) ? raise_system_limit(p) : both;
}

/* The local time of seconds since 1970; false: there is none. */
static bool calendar_local(int64_t seconds, CalendarTime *c)
{
    time_t at = (time_t)seconds;
    struct tm tm;
    if (localtime_r(&at, &tm) == NULL) return false;
    *c = (CalendarTime){{tm.tm_year + INT64_C(1900), tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                         tm.tm_min, tm.tm_sec}};
    return true;
}

static int64_t calendar_now(const Process *p)
{
    return (int64_t)(chance_wall_ns(&p->run->worker->sched->chance) / 1000000000u);
}

BifResult bif_localtime(Process *p)
{
    CalendarTime c;
    return calendar_local(calendar_now(p), &c) ? calendar_result(p, &c) : raise_badarg(p);
}

BifResult bif_universaltime(Process *p)
{
    CalendarTime c = calendar_from_seconds(calendar_now(p));
    return calendar_result(p, &c);
}

/* Which 0: date/0; 3: time/0. */
static BifResult calendar_part(Process *p, size_t which)
{
    CalendarTime c;
    if (!calendar_local(calendar_now(p), &c)) return raise_badarg(p);
    const int64_t *f = c.field + which;
    Term t = heap_tuple3(&p->heap, small_from(f[0]), small_from(f[1]), small_from(f[2]));
    return term_is_none(t) ? raise_system_limit(p) : t;
}

BifResult bif_date(Process *p) { return calendar_part(p, 0); }
BifResult bif_time(Process *p) { return calendar_part(p, 3); }

static BifResult calendar_to_universal(Process *p, int is_dst)
{
    CalendarTime c;
    if (!calendar_read(arg(p, 0), CALENDAR_FIRST_LOCAL, &c)) return raise_badarg(p);
    const int64_t *f = c.field;
    struct tm tm = {.tm_year = (int)(f[0] - 1900),
                    .tm_mon = (int)f[1] - 1,
                    .tm_mday = (int)f[2],
                    .tm_hour = (int)f[3],
                    .tm_min = (int)f[4],
                    .tm_sec = (int)f[5],
                    .tm_isdst = is_dst};
    c = calendar_from_seconds((int64_t)mktime(&tm));
    return calendar_result(p, &c);
}

BifResult bif_localtime_to_universaltime_1(Process *p) { return calendar_to_universal(p, -1); }

BifResult bif_localtime_to_universaltime_2(Process *p)
{
    Term dst = arg(p, 1);
    if (term_same(dst, TERM_ATOM(UNDEFINED))) return calendar_to_universal(p, -1);
    return term_is_boolean(dst) ? calendar_to_universal(p, term_same(dst, TERM_TRUE))
                                : raise_badarg(p);
}

BifResult bif_universaltime_to_localtime(Process *p)
{
    CalendarTime c;
    if (!calendar_read(arg(p, 0), CALENDAR_FIRST_LOCAL, &c)
        || !calendar_local(calendar_seconds(&c), &c))
        return raise_badarg(p);
    return calendar_result(p, &c);
}

BifResult bif_posixtime_to_universaltime(Process *p)
{
    Term t = arg(p, 0);
    if (!term_is_small(t)) return raise_badarg(p);
    if (small_value(t) > CALENDAR_MOST_SECONDS || small_value(t) < -CALENDAR_MOST_SECONDS)
        return raise_badarg(p);
    CalendarTime c = calendar_from_seconds(small_value(t));
    return calendar_result(p, &c);
}

BifResult bif_universaltime_to_posixtime(Process *p)
{
    CalendarTime c;
    return calendar_read(arg(p, 0), CALENDAR_FIRST_POSIX, &c) ? small_from(calendar_seconds(&c))
                                                              : raise_badarg(p);
}
