# hale_provider(NAME [LINK target...]): a folder under hale/provider/, one external system each.
function(hale_provider name)
  hale_layer(provider_${name} DIR provider/${name} DEPENDS base config telemetry net cluster ${ARGN})
endfunction()
