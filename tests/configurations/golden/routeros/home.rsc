# 2026-08-22 10:00:00 by RouterOS 7.15.3
# software id = ABCD-EFGH
/interface list
add name=WAN
add name=LAN
/interface list member
add interface=ether1 list=WAN
add interface=bridge list=LAN
/ip firewall address-list
add address=13.32.0.0/15 list=cloudfront comment="viewer; the \"large\" one"
add address=99.84.0.0-99.84.255.255 list=cloudfront
add address=56.125.47.0 list=cloudfront
add address=cdn.example.com list=named
add address=70.132.0.0/18 list=cloudfront disabled=yes
add address=13.33.0.0/16 list=bad
/ip firewall filter
add action=fasttrack-connection chain=forward connection-state=established,related
add action=accept chain=forward comment="answers" connection-state=\
    established,related,untracked
add action=drop chain=forward connection-state=invalid
add action=drop chain=forward dst-address-list=bad
add action=jump chain=forward jump-target=out out-interface-list=WAN
add action=drop chain=forward in-interface-list=WAN
add action=drop chain=forward comment="all else"
add action=accept chain=out dst-address-list=cloudfront dst-port=80,440-450 protocol=\
    tcp
add action=accept chain=out dst-address-list=named dst-port=443 protocol=tcp
add action=return chain=out dst-address=18.64.0.0/14
add action=accept chain=out dst-address=18.64.0.0/14
add action=accept chain=out dst-address=!54.0.0.0/8 dst-port=443 protocol=tcp time=8h-17h,mon,tue
add action=accept chain=out dst-address=54.182.0.0/16 disabled=yes
/ip firewall nat
add action=masquerade chain=srcnat out-interface-list=WAN
/ipv6 firewall address-list
add address=2600:9000::/28 list=cloudfront
/ipv6 firewall filter
add action=accept chain=forward dst-address-list=cloudfront dst-port=443 protocol=tcp
add action=drop chain=forward
/system identity
set name=home
