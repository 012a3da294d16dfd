%% Included twice; the guard keeps it from being defined twice.
-ifndef(INCLUDE_FILE_HRL).
-define(INCLUDE_FILE_HRL, 1).
-record(included, {x = from_header, y}).
-define(INCLUDED(N), {included, N}).
from_header(X) -> {header, X, ?LINE}.
-endif.
