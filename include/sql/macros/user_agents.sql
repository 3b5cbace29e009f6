{#- Each rule is right only after those before it: one browser's description names many others. -#}
{%- macro browser(user_agent) -%}
case
        when {{ user_agent }} is null then 'unknown'
        when {{ user_agent }} like '%Edge/%' then 'Edge'
        when {{ user_agent }} like '%Edg/%' then 'Edge'
        when {{ user_agent }} like '%EdgA/%' then 'Edge'
        when {{ user_agent }} like '%EdgiOS/%' then 'Edge'
        when {{ user_agent }} like '%OPR/%' then 'Opera'
        when {{ user_agent }} like '%Opera%' then 'Opera'
        when {{ user_agent }} like '%SamsungBrowser/%' then 'Samsung Internet'
        when {{ user_agent }} like '%Trident/%' then 'Internet Explorer'
        when {{ user_agent }} like '%MSIE %' then 'Internet Explorer'
        when {{ user_agent }} like '%Firefox/%' then 'Firefox'
        when {{ user_agent }} like '%FxiOS/%' then 'Firefox'
        when {{ user_agent }} like '%Chromium/%' then 'Chromium'
        when {{ user_agent }} like '%CriOS/%' then 'Chrome'
        when {{ user_agent }} like '%Chrome/%' then 'Chrome'
        when {{ user_agent }} like '%Android%Version/%' then 'Android Browser'
        when {{ user_agent }} like '%Safari/%' then 'Safari'
        else 'other'
    end
{%- endmacro -%}

{%- macro platform(user_agent) -%}
case
        when {{ user_agent }} is null then 'unknown'
        when {{ user_agent }} like '%Windows Phone%' then 'Windows Phone'
        when {{ user_agent }} like '%iPad%' then 'iPad'
        when {{ user_agent }} like '%iPod%' then 'iPod'
        when {{ user_agent }} like '%iPhone%' then 'iPhone'
        when {{ user_agent }} like '%Android%' then 'Android'
        when {{ user_agent }} like '%Windows%' then 'Windows'
        when {{ user_agent }} like '%Macintosh%' then 'macOS'
        when {{ user_agent }} like '%CrOS%' then 'ChromeOS'
        when {{ user_agent }} like '%Linux%' then 'Linux'
        else 'other'
    end
{%- endmacro -%}
