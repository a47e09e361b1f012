# SPDX-License-Identifier: MIT
# Debian's names of licences as SPDX's; deletes what it does not know whole.
s/,? +and +/ AND /g
s/,? +or +/ OR /g
s/\b(Expat|MIT)\b/MIT/g
s/\bBSD-([234])-[Cc]lause\b/BSD-\1-Clause/g
s/\b(L?GPL)-([23])\.0\+/\1-\2+/g
s/\b(L?GPL)-([23])\.0( |\)|$)/\1-\2\3/g
s/\b(L?GPL)-([23])\+/\1-\2.0-or-later/g
s/\b(L?GPL)-([23])( |\)|$)/\1-\2.0-only\3/g
s/\bLGPL-2\.1\+/LGPL-2.1-or-later/g
s/\bLGPL-2\.1( |\)|$)/LGPL-2.1-only\1/g
/^(\(|\)| |AND|OR|MIT|ISC|Zlib|BSD-[234]-Clause|MPL-2\.0|Apache-2\.0|L?GPL-[0-9.]+-(only|or-later))+$/!d
