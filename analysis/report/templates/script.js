{% include "address.js" %}
{% include "words.js" %}
{% include "tables.js" %}
{% include "limits.js" %}
{% include "charts.js" %}
{% include "sizing.js" %}
{% include "unfold.js" %}
