document.getElementById("zone").value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
